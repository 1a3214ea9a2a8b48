/** The soft Dice loss. */
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions, namedLoss, requireNumber, targetsLike } from './arguments.js';
import { probabilities } from './probabilities.js';
import { softOverlap, withoutBackground } from './sums.js';
import type { AggregationOptions, BackgroundOptions, Loss, LossOptions } from './types.js';

/** Options of the Dice loss. */
export interface DiceOptions extends LossOptions, AggregationOptions, BackgroundOptions {
  /** Added to numerator and denominator, in pixels: defines the ratio of empty masks. Default 1. */
  readonly smooth?: number;
}

/** 1 - Dice, mean over classes (and images). */
export function diceMean(truth: tf.Tensor, yPred: tf.Tensor, options: DiceOptions): tf.Tensor {
  const { fromLogits = false, aggregation = 'batch', includeBackground = true, smooth = 1 } = options;
  const sums = softOverlap(
    withoutBackground(truth, includeBackground),
    withoutBackground(probabilities(yPred, fromLogits), includeBackground),
    aggregation,
  );
  const numerator = tf.add(tf.mul(2, sums.intersection), smooth);
  const denominator = tf.add(tf.add(sums.truth, sums.predicted), smooth);
  return tf.sub(1, tf.mean(tf.div(numerator, denominator)));
}

/**
 * Soft Dice loss (Milletari et al. 2016, with plain sums in the denominator):
 * 1 - (2 sum(y p) + smooth) / (sum(y) + sum(p) + smooth), mean over classes.
 * It depends on p alone, so a pixel whose p is 0 or 1 in float32 gets no gradient from it; `bceDice` keeps one.
 *
 * @param options `smooth` (default 1 pixel), `aggregation` (default 'batch'), `includeBackground` (default true),
 *   `fromLogits` (default false), `numClasses`.
 * @returns A loss named 'dice'.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], head: 'logits', seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.dice({ fromLogits: true, aggregation: 'image' }) });
 * ```
 */
export function dice(options: DiceOptions = {}): Loss {
  checkOptions('dice', options, ['smooth', 'aggregation', 'includeBackground']);
  requireNumber('dice', 'smooth', options.smooth ?? 1, 0);
  return namedLoss('dice', (yTrue, yPred) =>
    diceMean(targetsLike('dice', yTrue, yPred, options.numClasses), yPred, options),
  );
}
