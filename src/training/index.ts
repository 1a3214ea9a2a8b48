export { type EpochReport, type FitOptions, type FitResult, fit, type TrainingProgress } from './fit.js';
export type { BestEpoch, EpochScores, History } from './history.js';
export { captureState, restoreState, type StateTensor, type TrainingPosition, type TrainingState } from './state.js';
export { type Scores, type ValidateOptions, validate } from './validate.js';
