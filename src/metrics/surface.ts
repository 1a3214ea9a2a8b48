/** Contours of masks and the distances between them: what Hausdorff distance and surface Dice are made of. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { receivedText } from '../runtime/sentences.js';
import { distanceTransform } from './distanceTransform.js';

/** A binary mask on the host. */
export interface BinaryMask {
  /** `height * width` values, rows from the top; foreground where not 0. */
  readonly data: Uint8Array;
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Size of a pixel [row, column], for example in mm. Where it is missing, distances are in pixels. */
  readonly spacing?: readonly [number, number];
}

/** Distances of the pixels of each contour to the other contour; unsorted, Infinity where the other has none. */
export interface SurfaceDistances {
  readonly truthToPrediction: Float64Array;
  readonly predictionToTruth: Float64Array;
}

/**
 * The contour: foreground pixels with a background pixel above, below, left or right, or at the image's border, as
 * MONAI (mask xor its erosion by a cross) has it.
 */
export function contour(mask: BinaryMask): Uint8Array {
  const { data, width, height } = mask;
  const edges = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (data[i] === 0) continue;
      const inside =
        y > 0 &&
        y < height - 1 &&
        x > 0 &&
        x < width - 1 &&
        data[i - width] !== 0 &&
        data[i + width] !== 0 &&
        data[i - 1] !== 0 &&
        data[i + 1] !== 0;
      edges[i] = inside ? 0 : 1;
    }
  }
  return edges;
}

const spacingText = (spacing: unknown): string =>
  Array.isArray(spacing) ? `[${spacing.join(', ')}]` : String(spacing);

const maskText = ({ width, height, data, spacing }: BinaryMask): string =>
  `${width}x${height} with ${data.length} values${spacing === undefined ? '' : ` and spacing ${spacingText(spacing)}`}`;

function spacingOf(owner: string, truth: BinaryMask, prediction: BinaryMask): readonly [number, number] {
  const spacing = truth.spacing ?? prediction.spacing ?? [1, 1];
  const other = prediction.spacing ?? spacing;
  const isLegal =
    [spacing, other].every((sizes) => Array.isArray(sizes) && sizes.length === 2) &&
    spacing.every((size, axis) => Number.isFinite(size) && size > 0 && size === other[axis]);
  if (!isLegal) {
    throw new InvalidArgumentError(
      `metrics.${owner}: both masks must have one spacing [row, column] of positive numbers. ` +
        `Received: yTrue ${maskText(truth)}, yPred ${maskText(prediction)}.`,
    );
  }
  return spacing;
}

const isList = (value: unknown): boolean =>
  value instanceof Uint8Array || value instanceof Uint8ClampedArray || Array.isArray(value);

/** What stands for a mask, in a few words. */
function received(value: unknown): string {
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return 'values without their width and height';
  return receivedText(value);
}

/** Refuses what is no mask: the labels alone, or a segmentation, whose labels are its `mask`. */
function requireMask(owner: string, name: string, mask: unknown): void {
  if (typeof mask === 'object' && mask !== null && 'data' in mask && isList(mask.data)) return;
  throw new InvalidArgumentError(
    `metrics.${owner}: ${name} must be a mask: data (a Uint8Array, foreground where not 0), width and height. ` +
      `Received: ${received(mask)}. Of what predictMask returns give { data: mask, width, height }.`,
  );
}

/**
 * The distances between the contours of two masks of one size.
 *
 * @throws InvalidArgumentError for what is no mask, or if sizes or spacings differ or are illegal.
 */
export function surfaceDistances(owner: string, truth: BinaryMask, prediction: BinaryMask): SurfaceDistances {
  requireMask(owner, 'yTrue', truth);
  requireMask(owner, 'yPred', prediction);
  const sizeFits =
    truth.width === prediction.width &&
    truth.height === prediction.height &&
    truth.data.length === truth.width * truth.height &&
    prediction.data.length === truth.data.length &&
    truth.data.length > 0;
  if (!sizeFits) {
    throw new InvalidArgumentError(
      `metrics.${owner}: yTrue and yPred must be masks of one size with width * height values. ` +
        `Received: yTrue ${maskText(truth)}, yPred ${maskText(prediction)}.`,
    );
  }
  const spacing = spacingOf(owner, truth, prediction);
  const { width, height } = truth;
  const trueContour = contour(truth);
  const predictedContour = contour(prediction);
  const toTruth = distanceTransform({ data: trueContour, width, height }, spacing);
  const toPrediction = distanceTransform({ data: predictedContour, width, height }, spacing);
  return {
    truthToPrediction: toPrediction.filter((_, i) => trueContour[i] !== 0),
    predictionToTruth: toTruth.filter((_, i) => predictedContour[i] !== 0),
  };
}

/** The length of the image's diagonal between the centres of its corner pixels, in the unit of the spacing. */
export function diagonal(mask: BinaryMask, spacing: readonly [number, number] = mask.spacing ?? [1, 1]): number {
  return Math.hypot((mask.height - 1) * spacing[0], (mask.width - 1) * spacing[1]);
}
