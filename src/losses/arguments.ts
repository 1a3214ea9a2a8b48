/** The one place where a loss's arguments are checked and brought into one form. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import { checkKeys, show } from '../spec/index.js';
import type { AggregationOptions, BackgroundOptions, Loss, LossOptions } from './types.js';

/** Gives the function its name, which Keras-style code shows, and keeps intermediate tensors from leaking. */
export function namedLoss(name: string, compute: (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor): Loss {
  const loss: Loss = (yTrue, yPred) => tf.tidy(() => tf.reshape(compute(yTrue, yPred), []) as tf.Scalar);
  Object.defineProperty(loss, 'name', { value: name });
  return loss;
}

const SHARED = ['fromLogits', 'numClasses'];

/**
 * Checks the names of a loss's options, and the values of those that several losses share.
 *
 * @param own The loss's options besides those that every loss takes.
 */
export function checkOptions(
  loss: string,
  options: LossOptions & AggregationOptions & BackgroundOptions,
  own: readonly string[] = [],
): void {
  const title = `losses.${loss}`;
  checkKeys(title, options, [...own, ...SHARED]);
  const { aggregation = 'batch', numClasses = 1, fromLogits = false, includeBackground = true } = options;
  if (aggregation !== 'batch' && aggregation !== 'image') {
    throw new InvalidArgumentError(
      `${title}: aggregation must be 'batch' or 'image'. Received: aggregation=${show(aggregation)}.`,
    );
  }
  for (const [option, value] of Object.entries({ fromLogits, includeBackground })) {
    if (typeof value === 'boolean') continue;
    throw new InvalidArgumentError(`${title}: ${option} must be true or false. Received: ${option}=${show(value)}.`);
  }
  if (!Number.isInteger(numClasses) || numClasses < 1) {
    throw new InvalidArgumentError(
      `${title}: numClasses must be a whole number >= 1. Received: numClasses=${show(numClasses)}.`,
    );
  }
}

/** Checks an option that must be a finite number not below `least`. */
export function requireNumber(loss: string, option: string, value: number, least: number): void {
  if (!Number.isFinite(value) || value < least) {
    throw new InvalidArgumentError(
      `losses.${loss}: ${option} must be a finite number not below ${least}. Received: ${option}=${value}.`,
    );
  }
}

const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`;

/**
 * Checks the two tensors and returns the truth as float32 in the shape of the prediction.
 *
 * @throws InvalidArgumentError if ranks or shapes do not fit, or the channels are not `numClasses`.
 */
export function targetsLike(loss: string, yTrue: tf.Tensor, yPred: tf.Tensor, numClasses?: number): tf.Tensor {
  const predicted = shapeText(yPred.shape);
  if (yPred.rank < 2) {
    throw new InvalidArgumentError(
      `losses.${loss}: yPred must be [N, ..., channels] of rank 2 or more. Received: yPred ${predicted}.`,
    );
  }
  const channels = yPred.shape[yPred.rank - 1];
  if (numClasses !== undefined && channels !== numClasses) {
    throw new InvalidArgumentError(
      `losses.${loss}: yPred must have numClasses=${numClasses} channels on its last axis. Received: yPred ${predicted}. ` +
        'Build the model and the loss with the same numClasses.',
    );
  }
  const sameShape = yTrue.rank === yPred.rank && yTrue.shape.every((size, axis) => size === yPred.shape[axis]);
  if (sameShape) return tf.cast(yTrue, 'float32');

  const labels = [...yPred.shape.slice(0, -1), 1];
  const holdsLabels = yTrue.rank === yPred.rank && yTrue.shape.every((size, axis) => size === labels[axis]);
  if (!holdsLabels) {
    throw new InvalidArgumentError(
      `losses.${loss}: yTrue must have the shape of yPred ${predicted}` +
        `${channels > 1 ? ` (one-hot) or ${shapeText(labels)} (labels 0..${channels - 1})` : ''}. ` +
        `Received: yTrue ${shapeText(yTrue.shape)}.`,
    );
  }
  const flat = tf.cast(tf.reshape(yTrue, [yTrue.size]), 'int32');
  return tf.reshape(tf.cast(tf.oneHot(flat, channels), 'float32'), yPred.shape);
}
