export { estimateMemory, estimateStepSeconds, gibibytes, requireMemory, type StepSize } from './estimate.js';
export type { Execution } from './execution.js';
export type { BestEpoch, EpochScores, History } from './history.js';
export { captureState, restoreState, type StateTensor, type TrainingPosition, type TrainingState } from './state.js';
export {
  type EpochReport,
  type TrainingData,
  type TrainingProgress,
  type TrainOptions,
  type TrainResult,
  train,
} from './train.js';
export { type Scores, type ValidateOptions, validate } from './validate.js';
