/** Networks planned for the WebAssembly engine. */

export type { Precision } from '../engine/types.js';
export { constraintOf } from './constraints.js';
export { readModel, UnplannableError } from './graph/readModel.js';
export { type ImageShape, InferencePlan, type OutputMap } from './inferencePlan.js';
export { readWeights, weightIdentities, withWeights } from './modelWeights.js';
export type { Penalty } from './trainedWeights.js';
export { type DrawMask, TrainingPlan, type TrainingPlanOptions, trainingBytes } from './trainingPlan.js';
