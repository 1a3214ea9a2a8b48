export { writeAtomically, writeJson } from './atomic.js';
export { readCheckpoint, writeCheckpoint } from './checkpoint.js';
export { saveModel } from './model.js';
export { createRun, readRunConfig, requireFreshFolder, writeHistory } from './runFolder.js';
export {
  bestEpochSchema,
  checkpointSchema,
  historySchema,
  type RunConfig,
  runConfigSchema,
  thresholdRuleSchema,
} from './schemas.js';
