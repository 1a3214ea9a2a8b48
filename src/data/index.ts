/** Samples and data sets, without a file system: for browsers and for all other runtimes. */
export { type Batch, batchIndices, epochOrder, packBatch, requireOneSize } from './batches.js';
export type { IndexedAs } from './decode/channels.js';
export { countPages, type DecodeOptions, decodeImage, imageExtensions, isImageFile } from './decode/index.js';
export { encodePng, type PngPixels } from './encode.js';
export { type FoldOptions, folds } from './folds.js';
export { grouping } from './groups.js';
export { toLabels } from './labels.js';
export {
  isPhantomName,
  type Phantom,
  type PhantomName,
  type PhantomOptions,
  phantom,
  phantomNames,
} from './phantoms/index.js';
export { type LoadedSamples, type PrepareOptions, prepareSamples, type RasterPair } from './prepare.js';
export {
  type Intensity,
  type NetworkImage,
  type Preprocessing,
  type PreprocessingOptions,
  preprocess,
  resolvePreprocessing,
} from './preprocess.js';
export { isEightBit, isGrey, type Raster, type RasterData } from './raster.js';
export { type Plane, resizeBilinear, resizeNearest, type Size } from './resize.js';
export type { Sample } from './sample.js';
export { isOneGroup, type Named, type Split, type SplitOptions, split } from './split.js';
