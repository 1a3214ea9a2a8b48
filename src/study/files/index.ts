/** Studies on disk, for Node, Deno and Bun. */
export { type DatasetInput, readStudyInput, resolveStudy, type StudyInput } from './config.js';
export type { LoadedDataset } from './datasets.js';
export { type EstimateOptions, estimateRuns, type RunEstimate } from './estimate.js';
export { type WrittenReport, writeReport } from './report.js';
export { readResult } from './results.js';
export type { PreparedRun } from './run.js';
export { type RunStudyOptions, runStudy } from './runStudy.js';
export {
  estimateStudy,
  type PreparedStudy,
  performStudy,
  prepareStudy,
  type StudyEpoch,
  type StudyLoading,
  type StudyOptions,
  type StudyProgress,
} from './study.js';
