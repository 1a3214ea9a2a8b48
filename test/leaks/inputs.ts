/** Small arguments that several leak cases share. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Sample } from '../../src/data/index.js';
import * as models from '../../src/models/index.js';

/** A network that a step takes milliseconds on; dropout belongs to what may leak. */
export const tinyNet = (options: models.UNetOptions = {}): tfl.LayersModel =>
  models.uNet({ widths: [2, 4], inputShape: [null, null, 1], dropout: 0.5, seed: 1, ...options });

/** A sample of 8 x 8 pixels whose mask is its bright right half. */
export function sample(name = 'sample'): Sample {
  const image = Float32Array.from({ length: 64 }, (_, i) => (i % 8) / 3.5 - 1);
  return { name, width: 8, height: 8, channels: 1, image, mask: Uint8Array.from(image, (v) => (v > 0 ? 1 : 0)) };
}

/** A grey image of bytes, 8 x 8 pixels. */
export const bytes = {
  width: 8,
  height: 8,
  channels: 1,
  data: Uint8Array.from({ length: 64 }, (_, i) => i * 4),
} as const;

/** Runs an op and its gradient with respect to every input, and disposes of inputs and results. */
export function withGradients(inputs: tf.Tensor[], op: (...inputs: tf.Tensor[]) => tf.Tensor): void {
  const value = op(...inputs);
  const gradients = tf.grads(op)(inputs);
  tf.dispose([inputs, value, gradients]);
}
