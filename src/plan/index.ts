/** Networks planned for the WebAssembly engine. */

export type { Precision } from '../engine/lower/convolution.js';
export { UnplannableError } from './graph/readModel.js';
export { type ImageShape, InferencePlan, readWeights, weightIdentities } from './inferencePlan.js';
export { type Penalty, TrainingPlan, trainingBytes } from './trainingPlan.js';
