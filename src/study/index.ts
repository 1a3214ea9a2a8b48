/** The paper's study: its statistics and its report, without a file system. */
export { deviations } from './protocols.js';
export { listRuns, type RunKey, runTitle } from './runs.js';
export type { CaseResult, EpochResult, RunResult, StudyConfig, StudyDataset } from './schemas.js';
export * from './statistics/index.js';
