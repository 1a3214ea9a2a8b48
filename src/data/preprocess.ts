/** What is done to an image before a network sees it: one plain value, kept with the model and applied in prediction. */
import { DataError, InvalidArgumentError } from '../runtime/errors.js';
import { isEightBit, isGrey, type Raster } from './raster.js';
import { resizeBilinear, type Size } from './resize.js';

/**
 * How values are scaled to [-1, 1]: bytes from their full scale 0..255, a range of the file's own units, or each image's own
 * smallest and largest value.
 */
export type Intensity =
  | { readonly kind: 'bytes' }
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'minmax' };

/** The preprocessing of a data set: serialisable as JSON as it is. */
export interface Preprocessing {
  /** Channels that the network takes: grey or RGB. */
  readonly channels: 1 | 3;
  /** [height, width] in pixels that images are resized to; null keeps each image's own size. */
  readonly size: Size | null;
  /** How values become [-1, 1]; what lies outside of a range is clipped. */
  readonly intensity: Intensity;
}

/** Options of {@link resolvePreprocessing}. */
export interface PreprocessingOptions {
  /** Channels that the network takes; by default 1 where no image holds colour, else 3. */
  readonly channels?: 1 | 3;
  /** Size in pixels: a number for a square, [height, width], or null (default) to keep each image's own. */
  readonly size?: number | Size | null;
  /** Intensity window [centre, width] in the files' units, such as [40, 400] HU for a liver CT. */
  readonly window?: readonly [centre: number, width: number];
}

/**
 * Decides the preprocessing of a set of images.
 *
 * Without a window, bytes are scaled from 0..255, so that equal tissue stays equal over all images. Of other types the
 * full scale says nothing (12 bits in 16, Hounsfield units, floats), so that each image is scaled from its own smallest
 * to its own largest value; give a window where the units mean something, as in CT.
 *
 * @param images The images as decoded.
 * @param options Channels, size and window, where they are not to be found from the images.
 * @returns A plain value for {@link preprocess} and for the run's model.json.
 * @throws InvalidArgumentError where an option is illegal or there is no image.
 * @example
 * ```ts
 * import { resolvePreprocessing } from 'pyconvunet/training';
 *
 * const scan = { width: 2, height: 1, channels: 1, data: Int16Array.of(-1000, 400) }; // Hounsfield units
 * const preprocessing = resolvePreprocessing([scan], { size: 256, window: [-300, 1400] });
 * console.log(preprocessing.intensity); // { kind: 'range', low: -1000, high: 400 }
 * ```
 */
export function resolvePreprocessing(images: readonly Raster[], options: PreprocessingOptions = {}): Preprocessing {
  if (images.length === 0) throw new InvalidArgumentError('Preprocessing is decided from images. Received: none.');
  const { channels = images.every(isGrey) ? 1 : 3 } = options;
  if (channels !== 1 && channels !== 3) {
    throw new InvalidArgumentError(`channels must be 1 (grey) or 3 (RGB). Received: ${String(channels)}.`);
  }
  return { channels, size: resolveSize(options.size), intensity: resolveIntensity(images, options.window) };
}

function resolveSize(size: PreprocessingOptions['size']): Size | null {
  if (size === undefined || size === null) return null;
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  if (!Number.isInteger(height) || !Number.isInteger(width) || height < 1 || width < 1) {
    throw new InvalidArgumentError(
      `size must be a whole number of pixels or [height, width], each at least 1. Received: ${JSON.stringify(size)}.`,
    );
  }
  return [height, width];
}

function resolveIntensity(images: readonly Raster[], window: PreprocessingOptions['window']): Intensity {
  if (window === undefined) {
    return { kind: images.every(isEightBit) ? 'bytes' : 'minmax' };
  }
  const [centre, width] = window;
  if (!Number.isFinite(centre) || !Number.isFinite(width) || width <= 0) {
    throw new InvalidArgumentError(
      `window must be [centre, width] with a width above 0, such as [40, 400]. Received: ${JSON.stringify(window)}.`,
    );
  }
  return { kind: 'range', low: centre - width / 2, high: centre + width / 2 };
}

/** An image as a network takes it. */
export interface NetworkImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** `height * width * channels` values in [-1, 1]. */
  readonly image: Float32Array;
}

/**
 * Prepares a decoded image for a network: grey or RGB, values to [-1, 1], then the size.
 *
 * RGB becomes grey by the luma weights 0.299, 0.587, 0.114 (ITU-R BT.601, as Pillow); grey becomes RGB by repetition.
 * An image of one value, scaled by its own range, is -1 everywhere; NaN counts as the low end.
 *
 * @param raster The image as decoded.
 * @param preprocessing What {@link resolvePreprocessing} gave, or what a run's model.json holds.
 * @param name What messages call the image, such as its path.
 * @returns Width, height, channels and the values in [-1, 1].
 * @throws DataError where the image has neither 1 nor 3 channels, or is to be scaled as bytes and holds none.
 * @example
 * ```ts
 * import { preprocess } from 'pyconvunet/training';
 *
 * const scan = { width: 2, height: 1, channels: 1, data: Int16Array.of(-1000, 400) };
 * const range = { kind: 'range', low: -1000, high: 400 } as const;
 * console.log(preprocess(scan, { channels: 1, size: null, intensity: range }).image); // Float32Array [-1, 1]
 * ```
 */
export function preprocess(raster: Raster, preprocessing: Preprocessing, name = 'an image'): NetworkImage {
  const { channels, intensity, size } = preprocessing;
  const values = convertChannels(raster, channels);
  scale(values, rangeOf(intensity, raster, values, name));
  const { width, height } = raster;
  if (size === null) return { width, height, channels, image: values };
  return {
    width: size[1],
    height: size[0],
    channels,
    image: resizeBilinear({ width, height, channels, data: values }, size),
  };
}

function rangeOf(intensity: Intensity, raster: Raster, values: Float32Array, name: string): Range {
  if (intensity.kind === 'range') return intensity;
  if (intensity.kind === 'minmax') return extent(values);
  if (!isEightBit(raster)) {
    const { low, high } = extent(values);
    throw new DataError(
      `The images of training were bytes, scaled from 0..255. Received: ${name} of ${raster.data.constructor.name}, with values from ${low} to ${high}. Convert it to 8 bits as the images of training were, or train with a window in the units of such images.`,
    );
  }
  return { low: 0, high: 255 };
}

function convertChannels(raster: Raster, channels: 1 | 3): Float32Array {
  const { data } = raster;
  if (raster.channels !== 1 && raster.channels !== 3) {
    throw new DataError(`An image must have 1 (grey) or 3 (RGB) channels. Received: ${raster.channels}.`);
  }
  if (raster.channels === channels) return Float32Array.from(data);
  const pixels = raster.width * raster.height;
  const out = new Float32Array(pixels * channels);
  for (let p = 0; p < pixels; p++) {
    if (channels === 3) {
      out.fill(data[p], 3 * p, 3 * p + 3);
    } else {
      const red = data[3 * p];
      const green = data[3 * p + 1];
      const blue = data[3 * p + 2];
      // Grey stored as RGB keeps its value to the last bit.
      out[p] = red === green && red === blue ? red : 0.299 * red + 0.587 * green + 0.114 * blue;
    }
  }
  return out;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

function extent(values: Float32Array): Range {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

function scale(values: Float32Array, { low, high }: Range): void {
  for (let i = 0; i < values.length; i++) {
    const value = Math.min(values[i], high);
    values[i] = value > low ? ((value - low) / (high - low)) * 2 - 1 : -1;
  }
}
