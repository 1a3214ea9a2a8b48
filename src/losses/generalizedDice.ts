/** The generalised Dice loss, which weighs each class by its inverse squared volume. */
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions, namedLoss, requireNumber, targetsLike } from './arguments.js';
import { probabilities } from './probabilities.js';
import { type Overlap, softOverlap } from './sums.js';
import type { AggregationOptions, Loss, LossOptions } from './types.js';

/** Options of the generalised Dice loss. */
export interface GeneralizedDiceOptions extends LossOptions, AggregationOptions {
  /** Added to numerator and denominator, which are sums of weighted shares of the pixels. Default 1e-5. */
  readonly smooth?: number;
}

/**
 * The overlap of every class. One channel is two classes, background and foreground, as Sudre's sums run over both; each
 * is summed from a map of its own, since joining maps along the channels is slow and 1 minus a sum loses digits.
 */
function overlapOfBoth(truth: tf.Tensor, p: tf.Tensor, aggregation: 'batch' | 'image'): Overlap {
  const foreground = softOverlap(truth, p, aggregation);
  if (p.shape[p.rank - 1] > 1) return foreground;
  const background = softOverlap(tf.sub(1, truth), tf.sub(1, p), aggregation);
  return {
    intersection: tf.concat([background.intersection, foreground.intersection], 1),
    truth: tf.concat([background.truth, foreground.truth], 1),
    predicted: tf.concat([background.predicted, foreground.predicted], 1),
  };
}

/** 1 / volume^2; a class that is absent gets the largest weight of those present, as MONAI does it. */
function inverseSquaredVolume(share: tf.Tensor): tf.Tensor {
  const present = tf.greater(share, 0);
  const weights = tf.where(
    present,
    tf.reciprocal(tf.square(tf.where(present, share, tf.onesLike(share)))),
    tf.zerosLike(share),
  );
  return tf.where(present, weights, tf.mul(tf.max(weights, -1, true), tf.onesLike(weights)));
}

/**
 * Generalised Dice loss (Sudre et al. 2017): 1 - 2 sum_c w_c sum(y p) / sum_c w_c (sum(y) + sum(p)) with
 * w_c = 1 / (volume of class c)^2. One channel counts as two classes, background and foreground. Volumes are shares of
 * the pixels, which leaves the ratio as it is and keeps `smooth` small beside it whatever the image's size.
 *
 * @param options `smooth` (default 1e-5), `aggregation` (default 'batch'), `fromLogits` (default false), `numClasses`.
 * @returns A loss named 'generalizedDice'.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], numClasses: 3, head: 'logits', seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.generalizedDice({ numClasses: 3, fromLogits: true }) });
 * ```
 */
export function generalizedDice(options: GeneralizedDiceOptions = {}): Loss {
  checkOptions('generalizedDice', options, ['smooth', 'aggregation']);
  const { smooth = 1e-5, aggregation = 'batch', fromLogits = false, numClasses } = options;
  requireNumber('generalizedDice', 'smooth', smooth, 0);
  return namedLoss('generalizedDice', (yTrue, yPred) => {
    const truth = targetsLike('generalizedDice', yTrue, yPred, numClasses);
    const sums = overlapOfBoth(truth, probabilities(yPred, fromLogits), aggregation);
    const [images] = truth.shape;
    const pixels = truth.size / truth.shape[truth.rank - 1] / (aggregation === 'batch' ? 1 : images);
    const weights = tf.div(inverseSquaredVolume(tf.div(sums.truth, pixels)), pixels);
    const overlap = tf.sum(tf.mul(weights, sums.intersection), -1);
    const volume = tf.sum(tf.mul(weights, tf.add(sums.truth, sums.predicted)), -1);
    return tf.sub(1, tf.mean(tf.div(tf.add(tf.mul(2, overlap), smooth), tf.add(volume, smooth))));
  });
}
