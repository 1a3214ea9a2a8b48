/** Probabilities and their logarithms from logits (stable at any size) or from probabilities (clipped as Keras does). */
import * as tf from '@tensorflow/tfjs-core';

/** Keras's epsilon: probabilities are kept this far from 0 and 1 before a logarithm is taken. */
const EPSILON = 1e-7;

const channelsOf = (yPred: tf.Tensor) => yPred.shape[yPred.rank - 1];

/** The probability of each class: sigmoid for one channel, softmax for more. */
export function probabilities(yPred: tf.Tensor, fromLogits: boolean): tf.Tensor {
  if (!fromLogits) return yPred;
  return channelsOf(yPred) === 1 ? tf.sigmoid(yPred) : tf.softmax(yPred);
}

/** log p and log(1 - p) of a sigmoid; from logits they are exact where p is 0 or 1 in float32. */
export function logSigmoidPair(yPred: tf.Tensor, fromLogits: boolean): { logP: tf.Tensor; logNotP: tf.Tensor } {
  if (fromLogits) return { logP: tf.neg(tf.softplus(tf.neg(yPred))), logNotP: tf.neg(tf.softplus(yPred)) };
  const p = tf.clipByValue(yPred, EPSILON, 1 - EPSILON);
  return { logP: tf.log(p), logNotP: tf.log(tf.sub(1, p)) };
}

/** log p of each of several exclusive classes. */
export function logSoftmax(yPred: tf.Tensor, fromLogits: boolean): tf.Tensor {
  return fromLogits ? tf.logSoftmax(yPred) : tf.log(tf.clipByValue(yPred, EPSILON, 1 - EPSILON));
}
