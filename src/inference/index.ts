export { getMetadata, type ModelMetadata, setMetadata } from './metadata.js';
export { type OverlayOptions, overlay } from './overlay.js';
export type { ImageSource } from './pixels.js';
export { defaultClasses, type PredictOptions, type Prepared, predictMask, predictProbability } from './predictMask.js';
export { classColour, type Polygon, type Rgba, Segmentation } from './segmentation.js';
