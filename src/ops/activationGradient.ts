/** Fused activations by tfjs ops, and their gradient from the output alone. */
import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '../spec/index.js';

const APPLY: Record<Activation, <T extends tf.Tensor>(x: T) => T> = {
  linear: (x) => x,
  relu: tf.relu,
  relu6: tf.relu6,
  elu: tf.elu,
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
};

/** Applies a fused activation. */
export const applyActivation = <T extends tf.Tensor>(x: T, activation: Activation): T => APPLY[activation](x);

/** The derivative of the activation where its output is `y`. */
const SLOPE: Record<Exclude<Activation, 'linear'>, (y: tf.Tensor) => tf.Tensor> = {
  relu: (y) => tf.step(y),
  relu6: (y) => tf.mul(tf.step(y), tf.step(tf.sub(6, y))),
  elu: (y) => tf.add(1, tf.minimum(y, 0)),
  sigmoid: (y) => tf.mul(y, tf.sub(1, y)),
  tanh: (y) => tf.sub(1, tf.square(y)),
};

/** Gradient before the activation, from the gradient `dy` behind it and its output `y`. */
export function activationGradient<T extends tf.Tensor>(dy: T, y: T, activation: Activation): T {
  return activation === 'linear' ? dy : tf.tidy(() => tf.mul<T>(dy, SLOPE[activation](y)));
}
