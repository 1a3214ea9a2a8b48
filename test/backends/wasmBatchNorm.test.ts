import * as tf from '@tensorflow/tfjs-core';
import '../../src/wasm.js';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ensureKernels } from '../../src/ops/ensureKernels.js';
import { batchNorm, composedBatchNorm, composedBatchNormGrad, runKernel } from '../../src/ops/index.js';
import { Random } from '../../src/runtime/random.js';

beforeAll(async () => {
  await tf.setBackend('wasm');
  ensureKernels('wasm');
});

function expectClose(actual: tf.Tensor, expected: tf.Tensor, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  for (let i = 0; i < b.length; i++)
    expect(Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i]))).toBeLessThan(tolerance);
}

test('forward and gradient equal the composed kernels for any shape and option, and leave no tensor', () => {
  const cases = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 2, max: 9 }),
    channels: fc.integer({ min: 1, max: 9 }),
    scale: fc.boolean(),
    center: fc.boolean(),
    activation: fc.constantFrom('linear' as const, 'relu' as const),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(cases, ({ batch, height, width, channels, scale, center, activation, seed }) => {
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const random = new Random(seed);
        const make = (...shape: number[]) =>
          tf.tensor(
            Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
            shape,
          );
        const [x, dy] = [make(batch, height, width, channels), make(batch, height, width, channels)];
        const [gamma, beta] = [make(channels), make(channels)];
        const attrs = { epsilon: 0.01, activation, scale, center };
        const inputs = [x, ...(scale ? [gamma] : []), ...(center ? [beta] : [])];
        const expected = composedBatchNorm(inputs, attrs);
        const actual = runKernel('BatchNorm', inputs, attrs);
        expect(actual.length).toBe(3);
        for (let i = 0; i < 3; i++) expectClose(actual[i], expected[i], 2e-5);
        const saved = [dy, x, ...actual, ...(scale ? [gamma] : [])];
        const expectedGradients = composedBatchNormGrad(saved, attrs);
        const gradients = runKernel('BatchNormGrad', saved, attrs);
        for (let i = 0; i < 3; i++) expectClose(gradients[i], expectedGradients[i], 1e-4);
      });
      expect(tf.memory().numTensors).toBe(before);
    }),
    { numRuns: 100, seed: 1 },
  );
});

test('the variance of a large map with a large offset is right to 1e-6', () => {
  const [rows, channels] = [5 * 512 * 512, 8];
  const random = new Random(3);
  const values = new Float32Array(rows * channels);
  for (let i = 0; i < values.length; i++) values[i] = 30 + (i % channels) + random.next();
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  for (let i = 0; i < values.length; i++) mean[i % channels] += values[i] / rows;
  for (let i = 0; i < values.length; i++) variance[i % channels] += (values[i] - mean[i % channels]) ** 2 / rows;
  const x = tf.tensor4d(values, [5, 512, 512, channels]);
  const result = batchNorm(x, { activation: 'relu' });
  const [means, variances] = [result.mean.dataSync(), result.variance.dataSync()];
  for (let c = 0; c < channels; c++) {
    expect(Math.abs(means[c] / mean[c] - 1)).toBeLessThan(1e-7);
    expect(Math.abs(variances[c] / variance[c] - 1)).toBeLessThan(1e-6);
  }
  tf.dispose([x, result.y, result.mean, result.variance]);
});

test('a map made on another backend is moved before its memory is read', async () => {
  await import('@tensorflow/tfjs-backend-cpu');
  await tf.setBackend('cpu');
  const x = tf.tensor2d([[0], [2]]);
  const gamma = tf.tensor1d([3]);
  await tf.setBackend('wasm');
  const result = batchNorm(x, { gamma, epsilon: 1e-12 });
  expect([...result.y.dataSync()]).toEqual([-3, 3]);
  tf.dispose([x, gamma, result.y, result.mean, result.variance]);
});
