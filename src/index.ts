/**
 * The core entry: layers, networks, losses, metrics, counting, augmentation and prediction, on whatever backend is imported
 * beside it.
 *
 * @packageDocumentation
 */
export * as augment from './augment/index.js';
export * as complexity from './complexity/index.js';
export * as inference from './inference/index.js';
export * as layers from './layers/index.js';
export * as losses from './losses/index.js';
export * as metrics from './metrics/index.js';
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
export { DataError, InvalidArgumentError, OutOfMemoryError, UnsupportedBackendError } from './runtime/errors.js';
export type { LongCallOptions, Progress } from './runtime/progress.js';
export { version } from './runtime/version.js';
