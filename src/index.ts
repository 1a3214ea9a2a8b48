/**
 * The core entry: layers, networks, losses, metrics, counting, augmentation and prediction, on whatever backend is imported
 * beside it.
 *
 * @packageDocumentation
 */
/** Transforms of images together with their masks: exact, seeded and serialisable. */
export * as augment from './augment/index.js';
/** Parameters and multiplications of a network, layer by layer, by a named convention; the paper's closed forms beside them. */
export * as complexity from './complexity/index.js';
/** Networks and pyramidal convolutions drawn as SVG (Figs. 5 and 1 of the paper). */
export * as figures from './figures/index.js';
/** From an image to its segmentation: preprocessing, prediction, masks, contours and overlays. */
export * as inference from './inference/index.js';
/** Keras-style layers; importing them registers them, so that saved models find them. */
export * as layers from './layers/index.js';
/** Losses for segmentation, from logits or probabilities. */
export * as losses from './losses/index.js';
/** Scores over whole data sets, of boundaries, and of trivial predictors. */
export * as metrics from './metrics/index.js';
/** The seven networks of the paper, and loading of trained ones. */
export * as models from './models/index.js';
export {
  type BatchNormOptions,
  type BatchNormResult,
  batchNorm,
  type GroupConv2dOptions,
  groupConv2d,
  type PyConv2dOptions,
  pyConv2d,
} from './ops/index.js';
export { type BackendChoice, type BackendOptions, useBackend } from './runtime/backends.js';
export { type BackendReport, type DoctorReport, doctor } from './runtime/doctor.js';
export type { EngineReport, SelfTest } from './runtime/engineReport.js';
export type { Runtime } from './runtime/environment.js';
export { DataError, InvalidArgumentError, OutOfMemoryError, UnsupportedBackendError } from './runtime/errors.js';
export type { LongCallOptions, Progress } from './runtime/progress.js';
export type { StartOptions } from './runtime/providers.js';
export type { TfjsCopies } from './runtime/tfjsCopies.js';
export { version } from './runtime/version.js';
export type { BatchNormActivation, FreeShape, Padding, PyConvLevel, PyConvSpec, SidePadding } from './spec/index.js';
