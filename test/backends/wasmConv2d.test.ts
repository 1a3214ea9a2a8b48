/** tfjs's convolutions on wasm against those on cpu where padding 'same' leaves rows or columns behind the last window. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../../src/wasm.js';
import { expect, test } from 'vitest';
import { noise } from '../inference/models.js';

type Pair = [number, number];

/** The values of one convolution of an image of 7 x 6 pixels, plain or depthwise, with and without what is fused. */
async function outputs(backend: string, kernel: Pair, strides: Pair): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const x = tf.tensor4d(noise(7 * 6 * 2, 1), [1, 7, 6, 2]);
    const filter = tf.tensor4d(noise(kernel[0] * kernel[1] * 4, 2), [...kernel, 2, 2]);
    const bias = tf.tensor1d([0.5, -0.5]);
    const fused = { x, filter, strides, pad: 'same', bias, activation: 'relu' } as const;
    return [
      tf.conv2d(x, filter, strides, 'same'),
      tf.fused.conv2d(fused),
      tf.depthwiseConv2d(x, filter, strides, 'same'),
    ].map((y) => y.dataSync<'float32'>().slice());
  });
}

test.each<[Pair, Pair]>([
  [
    [2, 2],
    [3, 3],
  ],
  [
    [1, 2],
    [2, 3],
  ],
  [
    [3, 1],
    [2, 2],
  ],
  [
    [2, 3],
    [3, 3],
  ],
  [
    [2, 2],
    [2, 2],
  ],
  [
    [1, 1],
    [2, 2],
  ],
])('kernel %j, strides %j', async (kernel, strides) => {
  const expected = await outputs('cpu', kernel, strides);
  const actual = await outputs('wasm', kernel, strides);
  for (const [i, values] of actual.entries()) {
    expect(values).toHaveLength(expected[i]?.length ?? 0);
    expect(values.some((value) => value !== 0)).toBe(true);
    for (const [j, value] of values.entries()) expect(value).toBeCloseTo(expected[i]?.[j] ?? Number.NaN, 5);
  }
});
