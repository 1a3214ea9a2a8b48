/** pyConv2d and its gradients against plain loops in float64, over shapes and options. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { groupConv2d, pyConv2d } from '../../src/ops/index.js';
import { describeBackends } from '../backends.js';
import { type NaiveConv, naivePyConv, naivePyConvGradients, relativeError } from '../naive.js';

interface Case {
  readonly conv: NaiveConv;
  readonly padding: 'same' | number[];
  readonly seed: number;
}

const size = fc.integer({ min: 1, max: 9 });
const step = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));

const cases: fc.Arbitrary<Case> = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    height: size,
    width: size,
    inputGroups: fc.constantFrom(1, 2, 4),
    perGroup: fc.integer({ min: 1, max: 3 }),
    levels: fc.array(
      fc.record({
        kernelSize: fc.constantFrom(1, 3, 5, 7),
        groups: fc.constantFrom(1, 2, 4),
        perGroup: fc.integer({ min: 1, max: 2 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    strides: step,
    dilations: step,
    margin: fc.option(fc.integer({ min: 0, max: 2 })),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ batch, height, width, inputGroups, perGroup, levels, strides, dilations, margin, seed }): Case | null => {
    const cin = inputGroups * perGroup;
    if (levels.some((l) => cin % l.groups !== 0)) return null;
    const input = [height, width] as const;
    const extent = (k: number, axis: 0 | 1) => (k - 1) * dilations[axis] + 1;
    // Numeric padding keeps the levels' sizes equal only where dilation is the same on both axes.
    if (margin !== null && dilations[0] !== dilations[1]) return null;
    const pad = (k: number) => (extent(k, 0) - 1) / 2 + (margin ?? 0);
    const output = ([0, 1] as const).map((axis) =>
      margin === null
        ? Math.ceil(input[axis] / strides[axis])
        : Math.floor((input[axis] - 1 + 2 * margin) / strides[axis]) + 1,
    );
    const before = (k: number, axis: 0 | 1) =>
      margin === null
        ? Math.floor(Math.max(((output[axis] ?? 0) - 1) * strides[axis] + extent(k, axis) - input[axis], 0) / 2)
        : pad(k);
    return {
      seed,
      padding: margin === null ? 'same' : levels.map((l) => pad(l.kernelSize)),
      conv: {
        shape: [batch, height, width, cin],
        output: [output[0] ?? 0, output[1] ?? 0],
        strides,
        dilations,
        levels: levels.map((l, i) => {
          const filters = l.groups * l.perGroup;
          const length = l.kernelSize ** 2 * (cin / l.groups) * filters;
          return {
            kernelSize: l.kernelSize,
            groups: l.groups,
            filters,
            before: [before(l.kernelSize, 0), before(l.kernelSize, 1)],
            filter: Float64Array.from({ length }, (_, j) => Math.fround(Math.sin(seed + i * 31 + j * 0.7))),
          };
        }),
      },
    };
  })
  .filter((c): c is Case => c !== null);

const wave = (length: number, phase: number) => Float32Array.from({ length }, (_, i) => Math.cos(phase + i * 1.3));

describeBackends('pyConv2d', (backend) => {
  it('equals plain loops, forward and backward, for any shape, groups, stride, dilation and padding', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ conv, padding, seed }) => {
        const xValues = wave(
          conv.shape.reduce((a, b) => a * b),
          seed,
        );
        const yExpected = naivePyConv(conv, xValues);
        const dyValues = wave(yExpected.length, seed + 1);
        const expected = naivePyConvGradients(conv, xValues, dyValues);
        const before = tf.memory().numTensors;
        const x = tf.tensor4d(xValues, [...conv.shape]);
        const filters = conv.levels.map((l) =>
          tf.tensor4d(Float32Array.from(l.filter), [
            l.kernelSize,
            l.kernelSize,
            (conv.shape[3] ?? 0) / l.groups,
            l.filters,
          ]),
        );
        const options = {
          groups: conv.levels.map((l) => l.groups),
          strides: conv.strides,
          dilations: conv.dilations,
          padding,
        };
        const y = pyConv2d(x, filters, options);
        expect(y.shape).toEqual([conv.shape[0], ...conv.output, conv.levels.reduce((sum, l) => sum + l.filters, 0)]);
        expect(relativeError(await y.data(), yExpected)).toBeLessThan(1e-4);
        const dy = tf.tensor4d(dyValues, y.shape);
        const gradients = tf.grads((a: tf.Tensor, ...fs: tf.Tensor[]) =>
          pyConv2d(a as tf.Tensor4D, fs as tf.Tensor4D[], options),
        )([x, ...filters], dy);
        const wanted = [expected.dx, ...expected.dfilters];
        for (const [i, gradient] of gradients.entries()) {
          expect(relativeError(await gradient.data(), wanted[i] ?? [])).toBeLessThan(1e-4);
        }
        tf.dispose([x, ...filters, y, dy, ...gradients]);
        expect(tf.memory().numTensors).toBe(before);
      }),
      { numRuns: backend === 'webgpu' ? 15 : 60, seed: 20210122 },
    );
  });

  it('is a depthwise convolution where groups equals channels', async () => {
    const x = tf.randomNormal<tf.Rank.R4>([2, 6, 5, 4], 0, 1, 'float32', 3);
    const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 1, 4], 0, 1, 'float32', 4);
    const expected = tf.depthwiseConv2d(x, tf.transpose(filter, [0, 1, 3, 2]), 1, 'same');
    const actual = groupConv2d(x, filter, { groups: 4 });
    expect(relativeError(await actual.data(), await expected.data())).toBeLessThan(1e-5);
    tf.dispose([x, filter, expected, actual]);
  });
});
