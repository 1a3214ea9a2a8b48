/** The surface Dice: the share of two contours that lies within a tolerance of the other. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { checkKeys } from '../spec/index.js';
import { type EmptyPolicy, requireOneOf } from './scores.js';
import { type BinaryMask, surfaceDistances } from './surface.js';

/** Options of the surface Dice. */
export interface SurfaceDiceOptions {
  /** Largest distance that counts as agreement, in the unit of the masks' `spacing`, else in pixels. Default 1. */
  readonly tolerance?: number;
  /** What two empty masks score: 'one' (default), 'zero', or 'ignore' (null). One empty mask scores 0. */
  readonly emptyPolicy?: EmptyPolicy;
}

const countWithin = (distances: Float64Array, tolerance: number) =>
  distances.reduce((count, distance) => (distance <= tolerance ? count + 1 : count), 0);

/**
 * Surface Dice (normalised surface distance, Nikolov et al. 2021) at a tolerance: the contour pixels of both masks that
 * lie within the tolerance of the other contour, over all contour pixels, as MONAI's `compute_surface_dice` counts it
 * without subvoxels.
 *
 * @param yTrue The true mask.
 * @param yPred The predicted mask, of the same size.
 * @param options `tolerance` (default 1), `emptyPolicy` (default 'one').
 * @returns A number in [0, 1]; null for two empty masks under 'ignore'.
 * @throws InvalidArgumentError if the masks do not fit or an option is illegal.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 *
 * const yTrue = { data: Uint8Array.of(1, 1, 0, 0), width: 4, height: 1 };
 * const yPred = { data: Uint8Array.of(1, 1, 1, 1), width: 4, height: 1 };
 * console.log(metrics.surfaceDice(yTrue, yPred, { tolerance: 1 })); // 0.8333333333333334
 * ```
 */
export function surfaceDice(yTrue: BinaryMask, yPred: BinaryMask, options: SurfaceDiceOptions = {}): number | null {
  checkKeys('metrics.surfaceDice', options, ['tolerance', 'emptyPolicy']);
  const { tolerance = 1, emptyPolicy = 'one' } = options;
  if (!(tolerance >= 0)) {
    throw new InvalidArgumentError(
      `metrics.surfaceDice: tolerance must be a number not below 0. Received: tolerance=${tolerance}.`,
    );
  }
  requireOneOf('metrics.surfaceDice', 'emptyPolicy', emptyPolicy, ['one', 'zero', 'ignore']);
  const { truthToPrediction, predictionToTruth } = surfaceDistances('surfaceDice', yTrue, yPred);
  const all = truthToPrediction.length + predictionToTruth.length;
  if (all === 0) {
    if (emptyPolicy === 'ignore') return null;
    return emptyPolicy === 'one' ? 1 : 0;
  }
  if (truthToPrediction.length === 0 || predictionToTruth.length === 0) return 0;
  return (countWithin(truthToPrediction, tolerance) + countWithin(predictionToTruth, tolerance)) / all;
}
