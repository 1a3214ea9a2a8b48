/** Batch normalisation with batch statistics and its gradient, composed of tfjs ops: for any backend, and the tests' oracle. */
import * as tf from '@tensorflow/tfjs-core';
import type { BatchNormAttrs } from './kernelNames.js';

/**
 * Mean over all axes but the last, one axis at a time: backends that add up in float32 one after another (wasm) lose the
 * variance of large maps otherwise.
 */
function channelMean(x: tf.Tensor): tf.Tensor1D {
  let mean = x;
  for (let axis = x.rank - 2; axis >= 0; axis--) mean = tf.mean(mean, axis);
  return tf.reshape(mean, [-1]);
}

const sumOf = (mean: tf.Tensor, x: tf.Tensor): tf.Tensor => tf.mul(mean, x.size / (x.shape[x.rank - 1] ?? 1));

/** y = act(gamma * (x - mean) / sqrt(variance + epsilon) + beta), with the biased variance of the batch. */
export function composedBatchNorm(
  inputs: readonly tf.Tensor[],
  { epsilon, activation, scale, center }: BatchNormAttrs,
): tf.Tensor[] {
  const [x, ...rest] = inputs;
  if (x === undefined) throw new Error('BatchNorm received no input tensor.');
  const gamma = scale ? rest[0] : undefined;
  const beta = center ? rest[scale ? 1 : 0] : undefined;
  const mean = channelMean(x);
  const centred = tf.sub(x, mean);
  const variance = channelMean(tf.square(centred));
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  const scaled = tf.mul(centred, gamma === undefined ? inverse : tf.mul(inverse, gamma));
  const shifted = beta === undefined ? scaled : tf.add(scaled, beta);
  return [activation === 'relu' ? tf.relu(shifted) : shifted, mean, variance];
}

/** With g = dy behind the activation: dx = gamma * inverse * (g - mean(g) - xhat * mean(g * xhat)). */
export function composedBatchNormGrad(
  inputs: readonly tf.Tensor[],
  { epsilon, activation, scale }: BatchNormAttrs,
): tf.Tensor[] {
  const [dy, x, y, mean, variance, gamma] = inputs;
  if (dy === undefined || x === undefined || y === undefined || mean === undefined || variance === undefined) {
    throw new Error(`BatchNormGrad needs [dy, x, y, mean, variance, gamma?]; received ${inputs.length} tensors.`);
  }
  const g = activation === 'relu' ? tf.mul(dy, tf.step(y)) : dy;
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  const xhat = tf.mul(tf.sub(x, mean), inverse);
  const meanG = channelMean(g);
  const meanGXhat = channelMean(tf.mul(g, xhat));
  const factor = scale && gamma !== undefined ? tf.mul(inverse, gamma) : inverse;
  const dx = tf.mul(tf.sub(tf.sub(g, meanG), tf.mul(xhat, meanGXhat)), factor);
  return [dx, sumOf(meanGXhat, x), sumOf(meanG, x)];
}
