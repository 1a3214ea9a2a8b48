/** Prediction: from an image to its segmentation, and what can be drawn of it. */
export type { Intensity, Preprocessing } from '../data/preprocess.js';
export type { Raster, RasterData } from '../data/raster.js';
export type { Size } from '../data/resize.js';
export type { Precision } from '../plan/index.js';
export { defaultClasses, getMetadata, type ModelMetadata, setMetadata } from './metadata.js';
export { OptimizedModel, type OptimizeOptions, optimizeForInference } from './optimize.js';
export { type OverlayOptions, overlay } from './overlay.js';
export type { ImageSource } from './pixels.js';
export { type PredictOptions, predictMask } from './predictMask.js';
export { type Prepared, type Probabilities, type ProbabilityOptions, predictProbability } from './probability.js';
export { classColour, type DrawOptions, type Polygon, Segmentation, type SegmentationFields } from './segmentation.js';
