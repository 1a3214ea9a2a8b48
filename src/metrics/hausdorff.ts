/** The Hausdorff distance of two masks, whole and robust. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { checkKeys } from '../spec/index.js';
import { percentile } from './percentile.js';
import { requireOneOf } from './scores.js';
import { type BinaryMask, diagonal, surfaceDistances } from './surface.js';

/** Options of the Hausdorff distance. */
export interface HausdorffOptions {
  /** 100 (default) is the Hausdorff distance; 95 leaves out the farthest 5 % of each contour. */
  readonly percentile?: number;
  /**
   * A distance to an empty mask does not exist. 'ignore' (default): null where either mask is empty, to be counted and
   * left out of a mean; 'diagonal': 0 where both are empty, the image's diagonal where one is.
   */
  readonly emptyPolicy?: 'ignore' | 'diagonal';
}

/**
 * Hausdorff distance between the contours of two masks: the larger of the two directed distances, each the given
 * percentile over one contour of the distance to the other, as MONAI's `compute_hausdorff_distance` counts it (each
 * contour pixel once, linear interpolation).
 *
 * @param yTrue The true mask.
 * @param yPred The predicted mask, of the same size.
 * @param options `percentile` (default 100), `emptyPolicy` (default 'ignore').
 * @returns The distance in the unit of the masks' `spacing`, else in pixels; null as `emptyPolicy` says.
 * @throws InvalidArgumentError if the masks do not fit or an option is illegal.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 *
 * const yTrue = { data: Uint8Array.of(1, 0, 0, 0), width: 4, height: 1 };
 * const yPred = { data: Uint8Array.of(0, 0, 0, 1), width: 4, height: 1 };
 * console.log(metrics.hausdorffDistance(yTrue, yPred)); // 3
 * ```
 */
export function hausdorffDistance(yTrue: BinaryMask, yPred: BinaryMask, options: HausdorffOptions = {}): number | null {
  checkKeys('metrics.hausdorffDistance', options, ['percentile', 'emptyPolicy']);
  return distanceOf('hausdorffDistance', yTrue, yPred, options);
}

function distanceOf(
  owner: string,
  yTrue: BinaryMask,
  yPred: BinaryMask,
  { percentile: percent = 100, emptyPolicy = 'ignore' }: HausdorffOptions,
): number | null {
  if (!(percent > 0 && percent <= 100)) {
    throw new InvalidArgumentError(
      `metrics.${owner}: percentile must be above 0 and at most 100. Received: percentile=${percent}.`,
    );
  }
  requireOneOf(`metrics.${owner}`, 'emptyPolicy', emptyPolicy, ['ignore', 'diagonal']);
  const { truthToPrediction, predictionToTruth } = surfaceDistances(owner, yTrue, yPred);
  const emptyMasks = [truthToPrediction, predictionToTruth].filter((distances) => distances.length === 0).length;
  if (emptyMasks > 0) {
    if (emptyPolicy === 'ignore') return null;
    return emptyMasks === 2 ? 0 : diagonal(yTrue, yTrue.spacing ?? yPred.spacing);
  }
  return Math.max(percentile(truthToPrediction, percent), percentile(predictionToTruth, percent));
}

/**
 * The 95 % Hausdorff distance: `hausdorffDistance` with `percentile: 95`.
 *
 * @param yTrue The true mask.
 * @param yPred The predicted mask, of the same size.
 * @param options `emptyPolicy` (default 'ignore').
 * @returns The distance in the unit of the masks' `spacing`, else in pixels; null as `emptyPolicy` says.
 * @throws InvalidArgumentError if the masks do not fit or an option is illegal.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 *
 * const mask = { data: Uint8Array.of(0, 1, 1, 0), width: 2, height: 2, spacing: [0.5, 0.5] as const };
 * console.log(metrics.hausdorffDistance95(mask, mask)); // 0
 * ```
 */
export function hausdorffDistance95(
  yTrue: BinaryMask,
  yPred: BinaryMask,
  options: Omit<HausdorffOptions, 'percentile'> = {},
): number | null {
  checkKeys('metrics.hausdorffDistance95', options, ['emptyPolicy']);
  return distanceOf('hausdorffDistance95', yTrue, yPred, { ...options, percentile: 95 });
}
