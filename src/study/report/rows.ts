/** The rows of Table 2 and the paired comparisons behind it. */
import { percentile } from '../../metrics/index.js';
import type { NetworkName } from '../../models/index.js';
import type { ReportRow, RunResult, StudyConfig, StudyReport } from '../schemas.js';
import { bestOf, compareModels } from '../statistics/index.js';
import { comparedCases, type SeedCases, summarizePart } from './partSummary.js';

type Part = 'best' | 'last' | 'test';

/** The cases of each seed, its folds together; undefined where the runs have no such part. The test part is the same in
 * every fold, so that there its first fold stands for all. */
function seedCases(runs: readonly RunResult[], part: Part): SeedCases[] | undefined {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  if (runs.some((run) => run[part] === null)) return undefined;
  return seeds.map((seed) => {
    const own = runs.filter((run) => run.seed === seed);
    const folds = part === 'test' ? own.slice(0, 1) : own;
    return { seed, cases: folds.flatMap((run) => run[part]?.cases ?? []) };
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

/** The comparison of all pairs on each data set: on the test part where there is one, else at the best epochs. */
export function comparisonsOf(
  { data, models }: StudyConfig,
  results: readonly RunResult[],
): StudyReport['comparisons'] {
  return data.map(({ name: dataset }) => {
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
      best: bestOf(comparison),
    } as const;
  });
}
