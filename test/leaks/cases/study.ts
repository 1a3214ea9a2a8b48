/** Leak cases of the study without a file system: statistics of plain numbers, lists of runs. */
import { resolveStudy } from '../../../src/files.js';
import { study } from '../../../src/training.js';
import type { LeakCases } from '../leakCase.js';

const config = resolveStudy({ data: [{ source: 'phantom:lung' }] });
const key = { model: 'unet', dataset: 'phantom-lung', seed: 0, fold: null } as const;
const compared = ['x', 'y', 'z'].map((name, i) => ({ name, counts: [{ tp: 8 + i, fp: 1, fn: 2 }] }));
const models = [
  { name: 'pyconvunet', cases: compared },
  { name: 'unet', cases: compared },
];

export const cases: LeakCases = {
  deviations: () => study.deviations(config),
  listRuns: () => study.listRuns(config),
  runTitle: () => study.runTitle(key),
  summary: () => study.summary([0.5, null, 1]),
  holm: () => study.holm([0.01, 0.04, null]),
  wilcoxonSignedRank: () => study.wilcoxonSignedRank([0.02, 0.01, -0.03]),
  comparePaired: () => study.comparePaired(compared, compared, { resamples: 10 }),
  compareModels: () => study.compareModels(models, { resamples: 10 }),
  bestOf: () => study.bestOf(study.compareModels(models, { resamples: 10 })),
};
