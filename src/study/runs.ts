/** The runs of a study: every network on every data set, with every seed, in every fold. */
import type { NetworkName } from '../models/index.js';
import type { StudyConfig } from './schemas.js';

/** What tells one run from the others. */
export interface RunKey {
  readonly model: NetworkName;
  /** Name of the data set. */
  readonly dataset: string;
  readonly seed: number;
  /** Counted from 1; null without folds. */
  readonly fold: number | null;
}

/** The runs in the order in which they are trained: the networks of one data set, seed and fold follow one another. */
export function listRuns({ data, models, seeds, folds }: StudyConfig): RunKey[] {
  const numbers = folds === null ? [null] : Array.from({ length: folds }, (_, i) => i + 1);
  return data.flatMap(({ name: dataset }) =>
    seeds.flatMap((seed) => numbers.flatMap((fold) => models.map((model) => ({ model, dataset, seed, fold })))),
  );
}

/** A run as lines of text name it. */
export const runTitle = ({ model, dataset, seed, fold }: RunKey): string =>
  `${model} on ${dataset}, seed ${seed}${fold === null ? '' : `, fold ${fold}`}`;
