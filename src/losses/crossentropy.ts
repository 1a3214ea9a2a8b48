/** Cross-entropy: binary, categorical, and the one that a network's channels ask for. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import { checkOptions, namedLoss, targetsLike } from './arguments.js';
import { logSigmoidPair, logSoftmax } from './probabilities.js';
import { meanOf } from './sums.js';
import type { Loss, LossOptions } from './types.js';

/** -(y log p + (1 - y) log(1 - p)), mean over every element. */
export function binaryMean(truth: tf.Tensor, yPred: tf.Tensor, fromLogits: boolean): tf.Tensor {
  const { logP, logNotP } = logSigmoidPair(yPred, fromLogits);
  return tf.neg(meanOf(tf.add(tf.mul(truth, logP), tf.mul(tf.sub(1, truth), logNotP))));
}

/** -sum over classes of y log p, mean over pixels. */
export function categoricalMean(truth: tf.Tensor, yPred: tf.Tensor, fromLogits: boolean): tf.Tensor {
  const channels = yPred.shape[yPred.rank - 1];
  return tf.mul(meanOf(tf.mul(truth, logSoftmax(yPred, fromLogits))), -channels);
}

/** Binary for one channel, categorical for more. */
export function crossentropyMean(truth: tf.Tensor, yPred: tf.Tensor, fromLogits: boolean): tf.Tensor {
  const channels = yPred.shape[yPred.rank - 1];
  return channels === 1 ? binaryMean(truth, yPred, fromLogits) : categoricalMean(truth, yPred, fromLogits);
}

/**
 * Binary cross-entropy: the mean over every element of -(y log p + (1 - y) log(1 - p)), as Keras and PyTorch have it.
 * Several channels count as independent labels; for exclusive classes use `categoricalCrossentropy`.
 *
 * @param options `fromLogits` (default false), `numClasses`.
 * @returns A loss named 'binaryCrossentropy'; yTrue has the shape of yPred.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that differ.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], head: 'logits', seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.binaryCrossentropy({ fromLogits: true }) });
 * ```
 */
export function binaryCrossentropy(options: LossOptions = {}): Loss {
  checkOptions('binaryCrossentropy', options);
  const { fromLogits = false, numClasses } = options;
  return namedLoss('binaryCrossentropy', (yTrue, yPred) => {
    if (yTrue.shape[yTrue.rank - 1] !== yPred.shape[yPred.rank - 1]) {
      throw new InvalidArgumentError(
        `losses.binaryCrossentropy: yTrue must have the shape of yPred [${yPred.shape.join(', ')}]. ` +
          `Received: yTrue [${yTrue.shape.join(', ')}]. For exclusive classes use losses.categoricalCrossentropy.`,
      );
    }
    return binaryMean(targetsLike('binaryCrossentropy', yTrue, yPred, numClasses), yPred, fromLogits);
  });
}

/**
 * Categorical cross-entropy: the mean over pixels of -log p of the true class.
 *
 * @param options `fromLogits` (default false), `numClasses`.
 * @returns A loss named 'categoricalCrossentropy'; yTrue is one-hot or holds labels (last axis 1).
 * @throws InvalidArgumentError for an illegal option, or when called with one channel, or with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], numClasses: 4, seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.categoricalCrossentropy({ numClasses: 4 }) });
 * ```
 */
export function categoricalCrossentropy(options: LossOptions = {}): Loss {
  checkOptions('categoricalCrossentropy', options);
  const { fromLogits = false, numClasses } = options;
  return namedLoss('categoricalCrossentropy', (yTrue, yPred) => {
    const truth = targetsLike('categoricalCrossentropy', yTrue, yPred, numClasses);
    if (yPred.shape[yPred.rank - 1] === 1) {
      throw new InvalidArgumentError(
        'losses.categoricalCrossentropy: yPred must have two or more channels. ' +
          `Received: yPred [${yPred.shape.join(', ')}]. For one channel use losses.binaryCrossentropy.`,
      );
    }
    return categoricalMean(truth, yPred, fromLogits);
  });
}

/**
 * Cross-entropy by the network's channels: binary for one, categorical for more.
 *
 * @param options `fromLogits` (default false), `numClasses`.
 * @returns A loss named 'crossentropy'.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], head: 'logits', seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.crossentropy({ fromLogits: true }) });
 * ```
 */
export function crossentropy(options: LossOptions = {}): Loss {
  checkOptions('crossentropy', options);
  const { fromLogits = false, numClasses } = options;
  return namedLoss('crossentropy', (yTrue, yPred) =>
    crossentropyMean(targetsLike('crossentropy', yTrue, yPred, numClasses), yPred, fromLogits),
  );
}
