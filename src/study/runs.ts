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

/**
 * The runs of a study in the order in which they are trained: the networks of one data set, seed and fold follow one another.
 *
 * @param config A whole configuration, of `resolveStudy`.
 * @returns One key for each network, data set, seed and fold.
 * @example
 * ```ts
 * import { resolveStudy } from 'pyconvunet/files';
 * import { study } from 'pyconvunet/training';
 *
 * const config = resolveStudy({ data: [{ source: 'phantom:lung' }], models: ['unet'], seeds: [1, 2] });
 * console.log(study.listRuns(config).map(({ seed }) => seed)); // [ 1, 2 ]
 * ```
 */
export function listRuns({ data, models, seeds, folds }: StudyConfig): RunKey[] {
  const numbers = folds === null ? [null] : Array.from({ length: folds }, (_, i) => i + 1);
  return data.flatMap(({ name: dataset }) =>
    seeds.flatMap((seed) => numbers.flatMap((fold) => models.map((model) => ({ model, dataset, seed, fold })))),
  );
}

/**
 * A run as lines of text name it.
 *
 * @param key What tells the run from the others.
 * @returns The network, the data set and the seed; with folds the fold.
 * @example
 * ```ts
 * import { study } from 'pyconvunet/training';
 *
 * console.log(study.runTitle({ model: 'unet', dataset: 'lung', seed: 1, fold: null })); // unet on lung, seed 1
 * ```
 */
export const runTitle = ({ model, dataset, seed, fold }: RunKey): string =>
  `${model} on ${dataset}, seed ${seed}${fold === null ? '' : `, fold ${fold}`}`;
