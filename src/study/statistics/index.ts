/** The statistics of a study's report: summaries, paired comparisons, and which model may be called the best. */

export { type BestModel, bestOf } from './bestOf.js';
export { type ComparedModel, compareModels, type ModelComparison, type PairOfModels } from './compareModels.js';
export {
  type ComparedCase,
  type CompareOptions,
  comparePaired,
  type ForegroundCounts,
  type PairedComparison,
} from './comparePaired.js';
export { holm } from './holm.js';
export { type Summary, summary } from './summary.js';
export { type SignedRankTest, wilcoxonSignedRank } from './wilcoxon.js';
