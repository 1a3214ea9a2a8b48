/** The Tversky loss. */
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions, namedLoss, requireNumber, targetsLike } from './arguments.js';
import { probabilities } from './probabilities.js';
import { softOverlap, withoutBackground } from './sums.js';
import type { AggregationOptions, BackgroundOptions, Loss, LossOptions } from './types.js';

/** Options of the Tversky loss. */
export interface TverskyOptions extends LossOptions, AggregationOptions, BackgroundOptions {
  /** Weight of false positives. Default 0.3. */
  readonly alpha?: number;
  /** Weight of false negatives. Default 0.7. */
  readonly beta?: number;
  /** Added to numerator and denominator, in pixels. Default 1. */
  readonly smooth?: number;
}

/**
 * Tversky loss (Salehi et al. 2017, eq. 3): 1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth) of soft counts, mean
 * over classes. alpha = beta = 0.5 is Dice with half the smoothing; beta above alpha asks for recall.
 *
 * @param options `alpha` (default 0.3), `beta` (default 0.7), `smooth` (default 1 pixel), `aggregation` (default
 *   'batch'), `includeBackground` (default true), `fromLogits` (default false), `numClasses`.
 * @returns A loss named 'tversky'.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], head: 'logits', seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.tversky({ alpha: 0.3, beta: 0.7, fromLogits: true }) });
 * ```
 */
export function tversky(options: TverskyOptions = {}): Loss {
  checkOptions('tversky', options, ['alpha', 'beta', 'smooth', 'aggregation', 'includeBackground']);
  const { alpha = 0.3, beta = 0.7, smooth = 1, numClasses } = options;
  const { fromLogits = false, aggregation = 'batch', includeBackground = true } = options;
  requireNumber('tversky', 'alpha', alpha, 0);
  requireNumber('tversky', 'beta', beta, 0);
  requireNumber('tversky', 'smooth', smooth, 0);
  return namedLoss('tversky', (yTrue, yPred) => {
    const truth = targetsLike('tversky', yTrue, yPred, numClasses);
    const sums = softOverlap(
      withoutBackground(truth, includeBackground),
      withoutBackground(probabilities(yPred, fromLogits), includeBackground),
      aggregation,
    );
    const falsePositives = tf.sub(sums.predicted, sums.intersection);
    const falseNegatives = tf.sub(sums.truth, sums.intersection);
    const numerator = tf.add(sums.intersection, smooth);
    const errors = tf.add(tf.mul(alpha, falsePositives), tf.mul(beta, falseNegatives));
    return tf.sub(1, tf.mean(tf.div(numerator, tf.add(numerator, errors))));
  });
}
