/** tfjs's convolutions on wasm where this package computes them: against plain loops in float64, and which ones they are. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { programsOf } from '../../../src/kernels/wasm/programCache.js';
import { startBackend } from '../../backends.js';
import { type NaiveConv, naivePyConv, naivePyConvGradients, relativeError } from '../../naive.js';

beforeAll(() => startBackend('wasm'));

const backend = (): BackendWasm => tf.backend() as BackendWasm;

/** Deterministic values in [-1, 1]. */
function values(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

interface Case {
  readonly name: string;
  readonly shape: [number, number, number, number];
  /** Filter, [rows, columns, inputs, outputs] or, depthwise, [rows, columns, inputs, multiplier]. */
  readonly filter: [number, number, number, number];
  readonly depthwise?: boolean;
  readonly strides?: number;
  readonly dilations?: number;
  readonly pad?: 'same' | 'valid';
  /** Which of forward, gradient of the input and of the filter this package computes. */
  readonly ours: readonly [boolean, boolean, boolean];
}

const CASES: readonly Case[] = [
  { name: '3x3', shape: [1, 19, 16, 5], filter: [3, 3, 5, 7], ours: [true, true, true] },
  { name: '3x3 of two images', shape: [2, 16, 17, 8], filter: [3, 3, 8, 6], ours: [true, true, true] },
  { name: '5x5', shape: [1, 20, 21, 4], filter: [5, 5, 4, 3], ours: [true, true, true] },
  { name: '3x3 of small maps', shape: [1, 6, 7, 4], filter: [3, 3, 4, 5], ours: [false, true, true] },
  { name: '3x3 of few pixels', shape: [1, 4, 5, 4], filter: [3, 3, 4, 5], ours: [false, true, false] },
  { name: '1x1', shape: [1, 16, 16, 64], filter: [1, 1, 64, 64], ours: [false, true, true] },
  { name: '1x1 of few channels', shape: [1, 16, 16, 6], filter: [1, 1, 6, 4], ours: [false, false, true] },
  { name: 'stride 2', shape: [1, 27, 26, 3], filter: [3, 3, 3, 8], strides: 2, ours: [false, true, true] },
  { name: '2x2, stride 2', shape: [1, 24, 24, 6], filter: [2, 2, 6, 4], strides: 2, ours: [false, true, true] },
  { name: 'no padding', shape: [1, 20, 18, 4], filter: [3, 3, 4, 4], pad: 'valid', ours: [false, true, true] },
  { name: 'an even kernel', shape: [1, 18, 18, 4], filter: [4, 4, 4, 3], ours: [false, true, true] },
  { name: 'one row', shape: [1, 1, 300, 4], filter: [1, 5, 4, 3], ours: [false, true, true] },
  { name: 'depthwise 3x3', shape: [1, 16, 17, 6], filter: [3, 3, 6, 1], depthwise: true, ours: [false, true, true] },
  { name: 'depthwise 7x7', shape: [2, 16, 18, 5], filter: [7, 7, 5, 1], depthwise: true, ours: [true, true, true] },
  {
    name: 'depthwise 9x9 with a multiplier',
    shape: [1, 17, 16, 4],
    filter: [9, 9, 4, 2],
    depthwise: true,
    ours: [true, true, true],
  },
  {
    name: 'depthwise, dilated',
    shape: [1, 9, 8, 3],
    filter: [3, 3, 3, 2],
    depthwise: true,
    dilations: 2,
    ours: [false, true, true],
  },
];

/** Runs a kernel of tfjs, and says whether this package has computed it: with a program of its own. */
function run(kernel: string, inputs: tf.NamedTensorMap, attrs: object): { output: Float32Array; isOurs: boolean } {
  const size = programsOf(backend()).size;
  const output: tf.Tensor = tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap);
  return { output: output.dataSync<'float32'>().slice(), isOurs: programsOf(backend()).size > size };
}

describe('a convolution of tfjs on wasm', () => {
  it.each(CASES)('equals plain loops: $name', (c) => {
    const { shape, filter: filterShape, depthwise = false, strides = 1, dilations = 1, pad = 'same' } = c;
    const info = tf.backend_util.computeConv2DInfo(shape, filterShape, strides, dilations, pad, undefined, depthwise);
    const conv: NaiveConv = {
      shape,
      output: [info.outHeight, info.outWidth],
      strides: [strides, strides],
      dilations: [dilations, dilations],
      levels: [
        {
          kernelSize: info.filterHeight,
          kernelColumns: info.filterWidth,
          groups: depthwise ? info.inChannels : 1,
          filters: info.outChannels,
          before: [info.padInfo.top, info.padInfo.left],
          filter: Float64Array.from(values(tf.util.sizeFromShape(filterShape), 2)),
        },
      ],
    };
    const x = values(tf.util.sizeFromShape(shape), 1);
    const dy = values(tf.util.sizeFromShape(info.outShape), 3);
    const y = naivePyConv(conv, x);
    const { dx, dfilters } = naivePyConvGradients(conv, x, dy);
    const before = { tensors: tf.memory().numTensors, data: backend().numDataIds() };
    tf.tidy(() => {
      const tensors = {
        x: tf.tensor(x, shape),
        filter: tf.tensor(Float32Array.from(conv.levels[0]?.filter ?? []), filterShape),
        dy: tf.tensor(dy, info.outShape),
      };
      const attrs = { strides: [strides, strides], dilations: [dilations, dilations], pad, dataFormat: 'NHWC' };
      const names = depthwise
        ? [tf.DepthwiseConv2dNative, tf.DepthwiseConv2dNativeBackpropInput, tf.DepthwiseConv2dNativeBackpropFilter]
        : [tf.Conv2D, tf.Conv2DBackpropInput, tf.Conv2DBackpropFilter];
      const forward = run(names[0] ?? '', { x: tensors.x, filter: tensors.filter }, attrs);
      expect(relativeError(forward.output, y)).toBeLessThan(1e-5);
      const back = run(names[1] ?? '', { dy: tensors.dy, filter: tensors.filter }, { ...attrs, inputShape: shape });
      expect(relativeError(back.output, dx)).toBeLessThan(1e-5);
      const filter = run(names[2] ?? '', { x: tensors.x, dy: tensors.dy }, { ...attrs, filterShape });
      expect(relativeError(filter.output, dfilters[0] ?? [])).toBeLessThan(1e-4);
      expect([forward.isOurs, back.isOurs, filter.isOurs]).toEqual(c.ours);
    });
    expect({ tensors: tf.memory().numTensors, data: backend().numDataIds() }).toEqual(before);
  });

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'prelu', 'leakyrelu'] as const)(
    'fuses a bias and %s to the same values as apart',
    (activation) => {
      tf.tidy(() => {
        // A width for each, since those with the same kernel before the activation share a program.
        const width = 20 + activation.length;
        const x = tf.tensor4d(values(18 * width * 6, 1), [1, 18, width, 6]);
        const filter = tf.tensor4d(values(9 * 6 * 4, 2), [3, 3, 6, 4]);
        const bias = tf.tensor1d(values(4, 3));
        const alpha = tf.tensor1d([0.1, 0.2, 0.3, 0.4]);
        const size = programsOf(backend()).size;
        const fused = tf.fused.conv2d({
          ...{ x, filter, strides: 1, pad: 'same', bias, activation, leakyreluAlpha: 0.3 },
          ...(activation === 'prelu' ? { preluActivationWeights: alpha } : {}),
        });
        const isOurs = activation !== 'prelu' && activation !== 'leakyrelu';
        expect(programsOf(backend()).size > size).toBe(isOurs);
        const sum = tf.add(tf.conv2d(x, filter, 1, 'same'), bias);
        const apart = {
          linear: () => sum,
          relu: () => tf.relu(sum),
          relu6: () => tf.relu6(sum),
          elu: () => tf.elu(sum),
          sigmoid: () => tf.sigmoid(sum),
          prelu: () => tf.prelu(sum, alpha),
          leakyrelu: () => tf.leakyRelu(sum, 0.3),
        }[activation]();
        expect(relativeError(fused.dataSync(), apart.dataSync())).toBeLessThan(1e-5);
      });
    },
  );
});
