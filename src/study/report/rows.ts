/** The rows of Table 2 and the paired comparisons behind it. */
import { percentile } from '../../metrics/index.js';
import type { NetworkName } from '../../models/index.js';
import type { ReportRow, RunResult, StudyConfig, StudyReport } from '../schemas.js';
import { type BestModel, bestOf, compareModels } from '../statistics/index.js';
import { comparedCases, type SeedCases, summarizePart } from './partSummary.js';

type Part = 'best' | 'last' | 'test';

/**
 * The cases of each seed, its folds together; undefined where the runs have no such part. The test part is the same in every
 * fold: there each fold's network counts as a seed's does, and the scores are means over both.
 */
function seedCases(runs: readonly RunResult[], part: Part): SeedCases[] | undefined {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  if (runs.some((run) => run[part] === null)) return undefined;
  if (part === 'test') return runs.map(({ seed, test }) => ({ seed, cases: test?.cases ?? [] }));
  return seeds.map((seed) => {
    return { seed, cases: runs.filter((run) => run.seed === seed).flatMap((run) => run[part]?.cases ?? []) };
  });
}

const median = (values: readonly number[]): number => percentile(values, 50);

function rowOf(dataset: string, model: NetworkName, runs: readonly RunResult[]): ReportRow {
  const required = (part: Part): SeedCases[] => {
    const cases = seedCases(runs, part);
    if (cases === undefined) throw new Error(`${model} on ${dataset} has no scores.`);
    return cases;
  };
  const test = seedCases(runs, 'test');
  const epochs = runs.flatMap(({ secondsPerEpoch }) => secondsPerEpoch ?? []);
  return {
    dataset,
    model,
    best: summarizePart(required('best')),
    last: summarizePart(required('last')),
    test: test === undefined ? null : summarizePart(test),
    secondsPerEpoch: epochs.length === 0 ? null : median(epochs),
    secondsPerImage: median(runs.map(({ secondsPerImage }) => secondsPerImage)),
    peakBytes: {
      training: Math.max(...runs.map(({ peakBytes }) => peakBytes.training)),
      inference: Math.max(...runs.map(({ peakBytes }) => peakBytes.inference)),
    },
  };
}

const runsOf = (results: readonly RunResult[], dataset: string, model: NetworkName) =>
  results.filter((run) => run.dataset === dataset && run.model === model);

/** One row for each network on each data set. */
export function rowsOf({ data, models }: StudyConfig, results: readonly RunResult[]): ReportRow[] {
  return data.flatMap(({ name }) => models.map((model) => rowOf(name, model, runsOf(results, name, model))));
}

/** Seeds from which on a difference may be the networks' and not that of one training. */
const LEAST_SEEDS = 3;

/** What may be claimed of a network that is separated from every other one on these cases. */
function claim({ name, reason }: BestModel, source: string, seeds: number): BestModel {
  if (name === null) return { name, ...(reason === undefined ? {} : { reason }) };
  if (source.startsWith('phantom:')) {
    return {
      name: null,
      reason: `${name} is separated from every other network, but generated images never show which network is better`,
    };
  }
  if (seeds >= LEAST_SEEDS) return { name };
  const trained = seeds === 1 ? 'one seed' : `${seeds} seeds`;
  return {
    name: null,
    reason: `${name} is separated from every other network on these cases, but ${trained} a network make no claim (it takes ${LEAST_SEEDS})`,
  };
}

/** The comparison of all pairs on each data set: on the test part where there is one, else at the best epochs. */
export function comparisonsOf(
  { data, models, seeds }: StudyConfig,
  results: readonly RunResult[],
): StudyReport['comparisons'] {
  return data.map(({ name: dataset, source }) => {
    const part = results.some((run) => run.test !== null) ? 'test' : 'best';
    const comparison = compareModels(
      models.map((name) => ({
        name,
        cases: comparedCases(seedCases(runsOf(results, dataset, name), part) ?? []),
      })),
    );
    return {
      dataset,
      part: part === 'test' ? 'test' : 'validation',
      pairs: comparison.pairs,
      best: claim(bestOf(comparison), source, seeds.length),
    } as const;
  });
}
