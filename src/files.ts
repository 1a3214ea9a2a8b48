/**
 * Data sets, models and run folders on disk, for Node, Deno and Bun.
 *
 * @packageDocumentation
 */
export {
  findPairs,
  type LoadedSamples,
  type LoadOptions,
  loadSamples,
  type PageRef,
  type Pair,
} from './data/files/index.js';
export {
  type DatasetInput,
  estimateStudy,
  type LoadedDataset,
  type PreparedRun,
  type PreparedStudy,
  performStudy,
  prepareStudy,
  type RunEstimate,
  type RunStudyOptions,
  readStudyInput,
  resolveStudy,
  runStudy,
  type StudyEpoch,
  type StudyInput,
  type StudyLoading,
  type StudyOptions,
  type StudyProgress,
  type WrittenReport,
  writeReport,
} from './study/files/index.js';
export {
  createRun,
  type RunConfig,
  readCheckpoint,
  readRunConfig,
  saveModel,
  writeCheckpoint,
  writeHistory,
} from './training/files/index.js';
