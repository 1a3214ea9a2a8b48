/** The paper's study: its statistics and its report, without a file system. */
export { deviations, type ProtocolSettings } from './protocols.js';
export { listRuns, type RunKey, runTitle } from './runs.js';
export type {
  CaseResult,
  EpochResult,
  PartSummary,
  ReportDataset,
  ReportRow,
  RunResult,
  StudyConfig,
  StudyDataset,
  StudyReport,
} from './schemas.js';
export * from './statistics/index.js';
