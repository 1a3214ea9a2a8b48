/** pyConv2d and its gradients against PyTorch's numbers (oracles/pyconv.py). */
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { pyConv2d } from '../../src/ops/index.js';
import type { Activation } from '../../src/spec/index.js';
import { describeBackends } from '../backends.js';
import { relativeError } from '../naive.js';
import oracle from '../oracles/pyconv.json' with { type: 'json' };

/** The formula of the oracle: its inputs are not stored. */
const wave = (shape: number[], phase: number, scale = 1): tf.Tensor =>
  tf.tensor(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => scale * Math.fround(Math.cos(phase + 1.3 * i)),
    ),
    shape,
  );

describeBackends('pyConv2d against PyTorch', () => {
  it.each(oracle.cases)('$name', async (c) => {
    const before = tf.memory().numTensors;
    const channels = c.shape[3] ?? 0;
    const x = wave(c.shape, 0.1);
    const filters = c.levels.map(({ kernelSize: k, groups, filters: f }, i) =>
      wave([k, k, channels / groups, f], 0.2 + i, 2),
    );
    const bias = wave([c.levels.reduce((sum, level) => sum + level.filters, 0)], 0.3);
    const [rows = 1, columns = 1] = c.strides ?? [];
    const [tapRows = 1, tapColumns = 1] = c.dilations ?? [];
    const run = (image: tf.Tensor, ...weights: tf.Tensor[]) =>
      pyConv2d(image as tf.Tensor4D, weights.slice(0, -1) as tf.Tensor4D[], {
        groups: c.levels.map((level) => level.groups),
        strides: [rows, columns],
        dilations: [tapRows, tapColumns],
        padding: c.padding,
        bias: weights[weights.length - 1] as tf.Tensor1D,
        activation: (c.activation ?? 'linear') as Activation,
      });
    const y = run(x, ...filters, bias);
    expect(y.shape).toEqual(c.yShape);
    // An activation that ends at 1 passes the errors of sums on that are 40 times as large.
    expect(relativeError(await y.data(), c.y)).toBeLessThan(c.activation === 'tanh' ? 4e-5 : 1e-5);
    const dy = wave(c.yShape, 0.4);
    const gradients = tf.grads(run)([x, ...filters, bias], dy);
    const expected = [c.dx, ...c.dfilters, c.dbias];
    expect(gradients).toHaveLength(expected.length);
    for (const [i, gradient] of gradients.entries()) {
      expect(relativeError(await gradient.data(), expected[i] ?? [])).toBeLessThan(1e-5);
    }
    tf.dispose([x, ...filters, bias, y, dy, ...gradients]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
