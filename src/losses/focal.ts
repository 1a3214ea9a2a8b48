/** The focal loss. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import { checkOptions, namedLoss, requireNumber, targetsLike } from './arguments.js';
import { logSigmoidPair, logSoftmax } from './probabilities.js';
import { meanOf } from './sums.js';
import type { Loss, LossOptions } from './types.js';

/** Options of the focal loss. */
export interface FocalOptions extends LossOptions {
  /** How strongly pixels that are right already are damped; 0 is cross-entropy. Default 2. */
  readonly gamma?: number;
  /**
   * Class weights. One channel: a number a gives the foreground a and the background 1 - a (default 0.25), a pair gives
   * [background, foreground]. Several: one weight per class (default 1 each).
   */
  readonly alpha?: number | readonly number[];
}

function binaryFocal(
  truth: tf.Tensor,
  yPred: tf.Tensor,
  fromLogits: boolean,
  gamma: number,
  weights: readonly number[],
) {
  const { logP, logNotP } = logSigmoidPair(yPred, fromLogits);
  // (1 - p)^gamma as exp(gamma log(1 - p)): a power has no finite gradient at base 0, this has.
  const positive = tf.mul(tf.mul(truth, weights[1]), tf.mul(tf.exp(tf.mul(gamma, logNotP)), logP));
  const negative = tf.mul(tf.mul(tf.sub(1, truth), weights[0]), tf.mul(tf.exp(tf.mul(gamma, logP)), logNotP));
  return tf.neg(meanOf(tf.add(positive, negative)));
}

function categoricalFocal(
  truth: tf.Tensor,
  yPred: tf.Tensor,
  fromLogits: boolean,
  gamma: number,
  weights: readonly number[],
) {
  const logP = logSoftmax(yPred, fromLogits);
  const logNotP = tf.log(tf.clipByValue(tf.sub(1, tf.exp(logP)), 1e-7, 1));
  // Pixels in one axis: tfjs's webgpu backend broadcasts no vector over rank 5 and more.
  const pixels = tf.mul(tf.reshape(truth, [-1, weights.length]), tf.tensor1d([...weights]));
  const weighted = tf.reshape(pixels, truth.shape);
  return tf.mul(meanOf(tf.mul(weighted, tf.mul(tf.exp(tf.mul(gamma, logNotP)), logP))), -weights.length);
}

/** The weight of each class, background first. */
function classWeights(alpha: number | readonly number[] | undefined, channels: number): readonly number[] {
  const classes = channels === 1 ? 2 : channels;
  if (typeof alpha === 'object') {
    if (alpha.length !== classes) {
      throw new InvalidArgumentError(
        `losses.focal: alpha must hold ${classes} weights, one per class. Received: alpha=[${alpha.join(', ')}].`,
      );
    }
    return alpha;
  }
  if (channels === 1) return [1 - (alpha ?? 0.25), alpha ?? 0.25];
  if (alpha !== undefined) {
    throw new InvalidArgumentError(
      `losses.focal: for ${classes} classes alpha must be a list of ${classes} weights. Received: alpha=${alpha}.`,
    );
  }
  return new Array<number>(classes).fill(1);
}

/**
 * Focal loss (Lin et al. 2017, eq. 5): -alpha_t (1 - p_t)^gamma log p_t, mean over pixels, p_t the probability of the
 * true class. From logits it is finite and has a gradient at any logit.
 *
 * @param options `gamma` (default 2), `alpha` (default 0.25 for one channel, 1 for each class else), `fromLogits`
 *   (default false), `numClasses`.
 * @returns A loss named 'focal'.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], head: 'logits', seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.focal({ gamma: 2, alpha: 0.75, fromLogits: true }) });
 * ```
 */
export function focal(options: FocalOptions = {}): Loss {
  checkOptions('focal', options, ['gamma', 'alpha']);
  const { gamma = 2, alpha, fromLogits = false, numClasses } = options;
  requireNumber('focal', 'gamma', gamma, 0);
  for (const weight of typeof alpha === 'object' ? alpha : [alpha ?? 0.25]) requireNumber('focal', 'alpha', weight, 0);
  if (typeof alpha === 'number' && alpha > 1) {
    throw new InvalidArgumentError(
      `losses.focal: a single alpha is the foreground's share of the weight, from 0 to 1. Received: alpha=${alpha}. ` +
        'Pass [background, foreground] for other weights.',
    );
  }
  return namedLoss('focal', (yTrue, yPred) => {
    const truth = targetsLike('focal', yTrue, yPred, numClasses);
    const channels = yPred.shape[yPred.rank - 1];
    const weights = classWeights(alpha, channels);
    const compute = channels === 1 ? binaryFocal : categoricalFocal;
    return compute(truth, yPred, fromLogits, gamma, weights);
  });
}
