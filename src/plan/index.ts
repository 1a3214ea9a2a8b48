/** Networks planned for the WebAssembly engine. */
export { UnplannableError } from './graph/readModel.js';
export { type ImageShape, InferencePlan, readWeights, weightIdentities } from './inferencePlan.js';
export type { Precision } from './lower/convolution.js';
export { type Penalty, TrainingPlan, trainingBytes } from './trainingPlan.js';
