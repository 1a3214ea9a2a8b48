export { writeAtomically, writeJson } from './atomic.js';
export { readCheckpoint, removeCheckpoint, writeCheckpoint } from './checkpoint.js';
export { saveModel } from './model.js';
export { describeParts, firstDifference, ONE_SPECIMEN, partsOf, pick } from './parts.js';
export { buildModel, type FolderTrainingOptions, imagesOf, type NetworkConfig, stepsOf, trainInFolder } from './run.js';
export { createRun, readRunConfig, requireFreshFolder, writeHistory } from './runFolder.js';
export {
  bestEpochSchema,
  checkpointSchema,
  historySchema,
  type RunConfig,
  runConfigSchema,
  thresholdRuleSchema,
} from './schemas.js';
export { versions } from './versions.js';
