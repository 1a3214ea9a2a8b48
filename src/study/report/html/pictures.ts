/** The pictures of Fig. 4 as PNG data URIs. */
import type { Sample } from '../../../data/index.js';
import { overlay, Segmentation } from '../../../inference/index.js';
import { pngUri } from './pngUri.js';

/** Larger images are shown reduced by a whole factor: a page holds dozens of them. */
const MOST_PIXELS = 256;
/** Strong enough that the prediction is told from the image also in grey. */
const OPACITY = 0.55;

/** An image and the labels that belong to it, reduced for the page. */
export interface Shown {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** `height * width * channels` bytes. */
  readonly pixels: Uint8Array;
  /** The whole factor by which a side was reduced. */
  readonly factor: number;
}

/** Means over squares of `factor` pixels; what is left at the right and at the bottom is not shown. */
function reduce(values: ArrayLike<number>, width: number, height: number, channels: number, factor: number) {
  const columns = Math.floor(width / factor);
  const rows = Math.floor(height / factor);
  const means = new Float32Array(rows * columns * channels);
  for (let y = 0; y < rows * factor; y++) {
    for (let x = 0; x < columns * factor; x++) {
      const to = (Math.floor(y / factor) * columns + Math.floor(x / factor)) * channels;
      for (let c = 0; c < channels; c++)
        means[to + c] = (means[to + c] ?? 0) + (values[(y * width + x) * channels + c] ?? 0);
    }
  }
  return { columns, rows, means: means.map((sum) => sum / factor ** 2) };
}

/** A sample's image for the page. */
export function shownImage({ width, height, channels, image }: Sample): Shown {
  const factor = Math.max(1, Math.ceil(Math.max(width, height) / MOST_PIXELS));
  const { columns, rows, means } = reduce(image, width, height, channels, factor);
  const pixels = new Uint8Array(Uint8ClampedArray.from(means, (value) => (value + 1) * 127.5));
  return { width: columns, height: rows, channels, pixels, factor };
}

/** Labels for the page: the majority of each square. */
export function shownMask(mask: Uint8Array, { width, height }: Sample, factor: number): Uint8Array {
  return Uint8Array.from(reduce(mask, width, height, 1, factor).means, (share) => (share >= 0.5 ? 1 : 0));
}

const greyOf = ({ pixels, channels, width, height }: Shown): Float32Array =>
  Float32Array.from({ length: width * height }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += pixels[i * channels + c] ?? 0;
    return sum / channels;
  });

/** The image itself: in colour where it has three channels. */
export function imageUri(shown: Shown): string {
  const { width, height, channels, pixels } = shown;
  if (channels === 1 || channels === 3) return pngUri({ width, height, channels, data: pixels });
  return pngUri({ width, height, channels: 1, data: Uint8Array.from(greyOf(shown)) });
}

/** A mask in black and white. */
export const maskUri = ({ width, height }: Shown, mask: Uint8Array): string =>
  pngUri({ width, height, channels: 1, data: mask.map((label) => (label === 0 ? 0 : 255)) });

/**
 * Prediction as a class of its own, whose sky blue no colour-blind takes for the grey of the image or the red of the contour;
 * the green of the first class looks grey without red or green cones.
 */
const CLASSES = ['background', 'truth', 'prediction'];

/** The image in grey, the prediction as a tint, the truth's contour in red. */
export function predictionUri(shown: Shown, prediction: Uint8Array, truth: Uint8Array): string {
  const { width, height } = shown;
  const segmentation = new Segmentation({
    width,
    height,
    mask: prediction.map((label) => (label === 0 ? 0 : CLASSES.indexOf('prediction'))),
    // The overlay asks only for the labels.
    probability: new Float32Array(width * height * CLASSES.length),
    classes: CLASSES,
    threshold: 0.5,
  });
  const data = overlay(greyOf(shown), segmentation, { truth, opacity: OPACITY });
  return pngUri({ width, height, channels: 3, data });
}
