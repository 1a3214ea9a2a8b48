/** The op batchNorm: PyTorch's numbers (oracles/batchnorm.py), accuracy on large maps, inference, no leaks, messages. */
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of tfjs's own ops, as the package does.
import '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { BATCH_NORM, BATCH_NORM_GRAD, type BatchNormOptions, batchNorm } from '../../src/ops/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { describeBackends, startBackend } from '../backends.js';
import { relativeError } from '../naive.js';
import oracle from '../oracles/batchnorm.json' with { type: 'json' };

interface Step {
  readonly y: number[];
  readonly dx: number[];
  readonly dgamma?: number[];
  readonly dbeta?: number[];
  readonly movingMean: number[];
  readonly movingVariance: number[];
}

/** The formula of the oracle: its inputs are not stored. */
const wave = (shape: number[], phase: number, value = (v: number) => v): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      value(Math.fround(Math.cos(phase + 1.3 * i))),
    ),
    shape,
  );

describeBackends('batchNorm', () => {
  it.each(oracle.cases)('equals PyTorch forward and backward: $name', async (c) => {
    const before = tf.memory().numTensors;
    const channels = [c.shape[c.shape.length - 1] ?? 0];
    const { epsilon = 1e-5, activation = 'linear', scale = true, center = true } = c;
    const gamma = wave(channels, 0.5, (v) => 1 + 0.5 * v);
    const beta = wave(channels, 0.6, (v) => 0.5 * v);
    const options = (weights: tf.Tensor[]): BatchNormOptions => ({
      epsilon,
      activation: activation as 'linear' | 'relu',
      ...(scale ? { gamma: weights[0] as tf.Tensor1D } : {}),
      ...(center ? { beta: weights[scale ? 1 : 0] as tf.Tensor1D } : {}),
    });
    for (const [i, step] of (c.steps as Step[]).entries()) {
      const x = wave(c.shape, 0.7 + i, (v) => 3 * v + 2);
      const dy = wave(c.shape, 0.8 + i);
      const weights = [...(scale ? [gamma] : []), ...(center ? [beta] : [])];
      const { y, mean, variance } = batchNorm(x, options(weights));
      expect(relativeError(await y.data(), step.y)).toBeLessThan(1e-5);
      const gradients = tf.grads((a, ...given) => batchNorm(a, options(given)).y)([x, ...weights], dy);
      const expected = [step.dx, step.dgamma, step.dbeta].filter((g) => g !== undefined);
      expect(gradients).toHaveLength(expected.length);
      for (const [j, gradient] of gradients.entries()) {
        expect(relativeError(await gradient.data(), expected[j] ?? [])).toBeLessThan(2e-5);
      }
      tf.dispose([x, dy, y, mean, variance]);
      tf.dispose(gradients);
    }
    tf.dispose([gamma, beta]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(oracle.cases)('equals PyTorch in inference: $name', async (c) => {
    const before = tf.memory().numTensors;
    const channels = [c.shape[c.shape.length - 1] ?? 0];
    const { epsilon = 1e-5, activation = 'linear', scale = true, center = true } = c;
    const last = c.steps[c.steps.length - 1];
    const moving = { mean: tf.tensor1d(last?.movingMean ?? []), variance: tf.tensor1d(last?.movingVariance ?? []) };
    const gamma = wave(channels, 0.5, (v) => 1 + 0.5 * v) as tf.Tensor1D;
    const beta = wave(channels, 0.6, (v) => 0.5 * v) as tf.Tensor1D;
    const x = wave(c.shape, 0.7, (v) => 3 * v + 2);
    const dy = wave(c.shape, 0.8);
    const options: BatchNormOptions = {
      epsilon,
      activation: activation as 'linear' | 'relu',
      moving,
      ...(scale ? { gamma } : {}),
      ...(center ? { beta } : {}),
    };
    const { y, mean, variance } = batchNorm(x, options);
    expect(await mean.data()).toEqual(await moving.mean.data());
    expect(await variance.data()).toEqual(await moving.variance.data());
    // The result is the caller's to dispose of, the statistics stay.
    tf.dispose([mean, variance]);
    expect(moving.mean.isDisposed || moving.variance.isDisposed).toBe(false);
    expect(relativeError(await y.data(), c.inference.y)).toBeLessThan(1e-5);
    const dx = tf.grad((a) => batchNorm(a, options).y)(x, dy);
    expect(relativeError(await dx.data(), c.inference.dx)).toBeLessThan(1e-5);
    tf.dispose([moving, gamma, beta, x, dy, y, dx]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps the variance of a large map that lies far from zero', async () => {
    // Mean 100, standard deviation 1: sums in float32 one after another are off by more than the variance itself.
    const [batch, height, width, channels] = [5, 256, 256, 4] as const;
    const values = Float32Array.from(
      { length: batch * height * width * channels },
      (_, i) => 100 + Math.SQRT2 * Math.sin(i * 0.7312 + (i % channels)),
    );
    const count = values.length / channels;
    const mean = new Float64Array(channels);
    const variance = new Float64Array(channels);
    values.forEach((value, i) => {
      mean[i % channels] = (mean[i % channels] ?? 0) + value / count;
    });
    values.forEach((value, i) => {
      variance[i % channels] = (variance[i % channels] ?? 0) + (value - (mean[i % channels] ?? 0)) ** 2 / count;
    });
    const x = tf.tensor4d(values, [batch, height, width, channels]);
    const result = batchNorm(x);
    expect(relativeError(await result.mean.data(), mean)).toBeLessThan(1e-6);
    expect(relativeError(await result.variance.data(), variance)).toBeLessThan(1e-5);
    const y = await result.y.data();
    let worst = 0;
    for (let i = 0; i < values.length; i += 997) {
      const c = i % channels;
      const expected = ((values[i] ?? 0) - (mean[c] ?? 0)) / Math.sqrt((variance[c] ?? 0) + 1e-5);
      worst = Math.max(worst, Math.abs((y[i] ?? Number.NaN) - expected));
    }
    expect(worst).toBeLessThan(1e-4);
    tf.dispose([x, result.y, result.mean, result.variance]);
  });

  it('runs its gradient kernel once for all gradients, and lets none flow through the statistics', async () => {
    const x = wave([2, 3, 3, 2], 1) as tf.Tensor4D;
    const gamma = wave([2], 2) as tf.Tensor1D;
    const profile = await tf.profile(() => {
      const gradients = tf.grads((a, g) => batchNorm(a, { gamma: g as tf.Tensor1D }).y)([x, gamma]);
      tf.dispose(gradients);
      return tf.scalar(0);
    });
    const names = profile.kernels.map(({ name }) => name);
    expect(names.filter((name) => name === BATCH_NORM || name === BATCH_NORM_GRAD)).toEqual([
      BATCH_NORM,
      BATCH_NORM_GRAD,
    ]);
    const throughMean = tf.grad((a) => batchNorm(a as tf.Tensor4D).mean)(x);
    expect(Array.from(await throughMean.data())).toEqual(new Array(36).fill(0));
    tf.dispose([x, gamma, profile.result, throughMean]);
  });

  it('refuses a second derivative with a sentence', () => {
    const once = (a: tf.Tensor) => tf.sum(tf.square(batchNorm(a).y));
    const twice = (a: tf.Tensor) => tf.sum(tf.square(tf.grad(once)(a)));
    const x = wave([2, 3, 3, 2], 1);
    expect(() => tf.tidy(() => tf.grad(twice)(x))).toThrow(
      "pyconvunet's convolutions and batch normalisation have first derivatives only. Received: a request for the derivative of BatchNormGrad. Use tf.grad and tf.variableGrads once, not nested.",
    );
    x.dispose();
  });

  it('leaves three tensors, in training and in inference', () => {
    const x = wave([2, 3, 3, 2], 1);
    const vector = tf.ones<tf.Rank.R1>([2]);
    const before = tf.memory().numTensors;
    const training = batchNorm(x, { activation: 'relu' });
    expect(tf.memory().numTensors).toBe(before + 3);
    const inference = batchNorm(x, { activation: 'relu', moving: { mean: vector, variance: vector } });
    expect(tf.memory().numTensors).toBe(before + 6);
    tf.dispose([training.y, training.mean, training.variance]);
    tf.dispose([inference.y, inference.mean, inference.variance]);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, vector]);
  });
});

describe('messages of batchNorm', () => {
  const x = () => tf.ones<tf.Rank.R4>([1, 2, 2, 3]);
  it.each([
    [
      'rank 1',
      () => batchNorm(tf.ones([3])),
      'x must be a float32 tensor of rank 2, 3 or 4. Received: a tensor of float32 and shape [3].',
    ],
    [
      'whole numbers',
      () => batchNorm(tf.ones([2, 3], 'int32')),
      'x must be a float32 tensor of rank 2, 3 or 4. Received: a tensor of int32 and shape [2, 3].',
    ],
    [
      'a factor of another length',
      () => batchNorm(x(), { gamma: tf.ones([2]) }),
      'gamma must have the shape [3]. Received: shape [2].',
    ],
    [
      'an offset of rank 2',
      () => batchNorm(x(), { beta: tf.ones([1, 3]) as unknown as tf.Tensor1D }),
      'beta must be a float32 tensor of rank 1. Received: a tensor of float32 and shape [1, 3].',
    ],
    [
      'statistics of another length',
      () => batchNorm(x(), { moving: { mean: tf.ones([3]), variance: tf.ones([4]) } }),
      'moving.variance must have the shape [3]. Received: shape [4].',
    ],
    [
      'one value a channel',
      () => batchNorm(tf.ones<tf.Rank.R4>([1, 1, 1, 3])),
      'Batch statistics need more than one value per channel. Received: shape [1, 1, 1, 3]. Use a larger image or batch.',
    ],
    [
      'an activation that it does not compute',
      () => batchNorm(x(), { activation: 'sigmoid' as 'relu' }),
      "activation of batchNorm must be 'linear' or 'relu'. Received: activation=\"sigmoid\". Use an activation of its own behind it.",
    ],
    ...[-1, 0, Number.NaN, '1e-3'].map((epsilon): [string, () => unknown, string] => [
      `epsilon ${epsilon}`,
      () => batchNorm(x(), { epsilon: epsilon as number }),
      `epsilon of batchNorm must be a number > 0. Received: epsilon=${JSON.stringify(epsilon).replace('null', 'NaN')}.`,
    ]),
    [
      'an unknown option',
      () => batchNorm(x(), { axis: 1 } as BatchNormOptions),
      "batchNorm has no option 'axis'. Its options are gamma, beta, epsilon, activation, moving.",
    ],
  ] as [string, () => unknown, string][])('refuses %s', async (_, call, message) => {
    await startBackend('cpu');
    tf.tidy(() => {
      expect(call).toThrow(InvalidArgumentError);
      expect(call).toThrow(new InvalidArgumentError(message));
    });
  });
});
