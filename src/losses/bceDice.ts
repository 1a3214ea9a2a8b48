/** Cross-entropy plus soft Dice. */
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions, namedLoss, requireNumber, targetsLike } from './arguments.js';
import { crossentropyMean } from './crossentropy.js';
import { type DiceOptions, diceMean } from './dice.js';
import type { Loss } from './types.js';

/** Options of the sum of cross-entropy and Dice. */
export interface BceDiceOptions extends DiceOptions {
  /** Weight of the cross-entropy. Default 1. */
  readonly bceWeight?: number;
  /** Weight of the Dice loss. Default 1. */
  readonly diceWeight?: number;
}

/**
 * Cross-entropy (binary for one channel, categorical for more) plus soft Dice, as nnU-Net adds them
 * (Isensee et al. 2021): every pixel keeps a gradient, and small objects count.
 *
 * @param options `bceWeight` and `diceWeight` (default 1 each) and the options of `dice`.
 * @returns A loss named 'bceDice'.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.bceDice() });
 * ```
 */
export function bceDice(options: BceDiceOptions = {}): Loss {
  checkOptions('bceDice', options, ['bceWeight', 'diceWeight', 'smooth', 'aggregation', 'includeBackground']);
  const { bceWeight = 1, diceWeight = 1, fromLogits = false } = options;
  requireNumber('bceDice', 'bceWeight', bceWeight, 0);
  requireNumber('bceDice', 'diceWeight', diceWeight, 0);
  requireNumber('bceDice', 'smooth', options.smooth ?? 1, 0);
  return namedLoss('bceDice', (yTrue, yPred) => {
    const truth = targetsLike('bceDice', yTrue, yPred, options.numClasses);
    const bce = tf.mul(bceWeight, crossentropyMean(truth, yPred, fromLogits));
    return tf.add(bce, tf.mul(diceWeight, diceMean(truth, yPred, options)));
  });
}
