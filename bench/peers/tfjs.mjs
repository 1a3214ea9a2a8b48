// Timing of predictions in TensorFlow.js.
import * as tf from '@tensorflow/tfjs-core';

/** Predicts and reads the values, behind the tidy: it would look for tensors in every element of an array that it returns. */
export function valuesOf(predict) {
  const output = tf.tidy(predict);
  const values = output.dataSync();
  output.dispose();
  return values;
}
