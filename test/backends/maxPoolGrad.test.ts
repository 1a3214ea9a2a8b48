/** The gradient of max pooling where no value is positive: tfjs's kernel on wasm loses it. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { describeBackends } from '../backends.js';

describeBackends('max pooling', (backend) => {
  it.for([
    [2, 2, 'valid'],
    [3, 2, 'same'],
    [3, 1, 1],
  ] as const)(
    'of size %s, stride %s, padding %s sends dy to the first largest element',
    async ([size, stride, pad], { skip }) => {
      skip(backend === 'tensorflow' && typeof pad === 'number', 'tfjs-node pools with paddings by name only');
      const [height, width] = [7, 6];
      const values = Array.from({ length: height * width }, (_, i) => -1 - Math.abs(Math.sin(i * 1.7)));
      const x = tf.tensor4d(values, [1, height, width, 1]);
      const y = tf.maxPool(x, size, stride, pad);
      const dy = tf.tensor4d(
        Array.from({ length: y.size }, (_, i) => i + 1),
        y.shape,
      );
      const gradient = tf.grad((map) => tf.maxPool(map as tf.Tensor4D, size, stride, pad))(x, dy);
      const expected = new Float64Array(values.length);
      const [, outHeight, outWidth] = y.shape;
      const before = (out: number, length: number) =>
        pad === 'valid' ? 0 : pad === 'same' ? Math.floor(Math.max((out - 1) * stride + size - length, 0) / 2) : pad;
      for (let r = 0; r < outHeight; r++) {
        for (let c = 0; c < outWidth; c++) {
          let best = -1;
          for (let i = 0; i < size; i++) {
            for (let j = 0; j < size; j++) {
              const row = r * stride - before(outHeight, height) + i;
              const column = c * stride - before(outWidth, width) + j;
              if (row < 0 || column < 0 || row >= height || column >= width) continue;
              const at = row * width + column;
              if (best < 0 || (values[at] ?? 0) > (values[best] ?? 0)) best = at;
            }
          }
          expected[best] = (expected[best] ?? 0) + r * outWidth + c + 1;
        }
      }
      expect([...(await gradient.data())]).toEqual([...expected]);
      tf.dispose([x, y, dy, gradient]);
    },
  );
});
