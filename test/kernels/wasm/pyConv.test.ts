/** PyConv2D and its gradients on wasm: every algorithm against plain loops in float64, and what stays in the heap of tfjs. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { MOST_PROGRAMS, MOST_TABLE_BYTES, programsOf } from '../../../src/kernels/wasm/programCache.js';
import {
  PY_CONV_2D,
  PY_CONV_2D_BACKPROP_FILTER,
  PY_CONV_2D_BACKPROP_INPUT,
  pyConv2d,
  runKernel,
} from '../../../src/ops/index.js';
import { OutOfMemoryError } from '../../../src/runtime/errors.js';
import { pyConvSpec } from '../../../src/spec/index.js';
import { startBackend } from '../../backends.js';
import { type NaiveConv, naivePyConv, naivePyConvGradients, relativeError } from '../../naive.js';

beforeAll(() => startBackend('wasm'));

const backend = (): BackendWasm => tf.backend() as BackendWasm;

interface Case {
  readonly name: string;
  readonly shape: readonly [number, number, number, number];
  /** Kernel size, groups, filters. */
  readonly levels: readonly (readonly [number, number, number])[];
  readonly stride?: number;
  readonly dilation?: number;
  /** Pixels on every side; left out: 'same'. */
  readonly padding?: number;
}

const CASES: readonly Case[] = [
  {
    name: 'all kernel sizes of nested Winograd, both kinds of windows',
    shape: [1, 14, 11, 16],
    levels: [
      [3, 1, 4],
      [5, 4, 4],
      [7, 8, 8],
      [9, 16, 16],
      [11, 2, 2],
      [13, 4, 4],
    ],
  },
  {
    name: 'groups of several outputs, two images',
    shape: [2, 13, 17, 12],
    levels: [
      [5, 2, 6],
      [7, 3, 9],
    ],
  },
  { name: 'a dense 3x3 kernel in tiles of 4', shape: [2, 15, 18, 10], levels: [[3, 1, 7]] },
  { name: '3x3 kernels in groups, tiles of 4', shape: [1, 21, 9, 12], levels: [[3, 4, 8]] },
  { name: 'a depthwise kernel', shape: [1, 10, 12, 6], levels: [[7, 6, 6]] },
  {
    name: 'a 1x1 kernel beside larger ones',
    shape: [1, 24, 24, 8],
    levels: [
      [1, 1, 5],
      [5, 1, 3],
    ],
  },
  { name: '1x1 kernels over whole planes', shape: [1, 60, 60, 8], levels: [[1, 1, 5]] },
  { name: '1x1 kernels in groups', shape: [2, 9, 9, 8], levels: [[1, 4, 8]] },
  { name: 'a kernel too large for nested Winograd', shape: [1, 9, 20, 2], levels: [[15, 1, 2]] },
  {
    name: 'stride 2',
    shape: [2, 13, 12, 8],
    levels: [
      [3, 1, 3],
      [5, 4, 8],
    ],
    stride: 2,
  },
  {
    name: 'a stride beyond the kernel',
    shape: [1, 11, 11, 4],
    levels: [
      [1, 1, 3],
      [3, 2, 4],
    ],
    stride: 4,
  },
  {
    name: 'dilation 2',
    shape: [1, 14, 15, 6],
    levels: [
      [3, 1, 4],
      [5, 3, 6],
    ],
    dilation: 2,
  },
  { name: 'stride and dilation', shape: [1, 16, 15, 4], levels: [[3, 2, 4]], stride: 2, dilation: 3 },
  { name: 'no padding', shape: [2, 12, 13, 6], levels: [[5, 2, 4]], padding: 0 },
  { name: 'more padding than the kernel reaches', shape: [1, 6, 7, 3], levels: [[3, 1, 4]], padding: 3 },
  {
    name: 'images of one pixel',
    shape: [3, 1, 1, 8],
    levels: [
      [3, 1, 4],
      [9, 4, 8],
    ],
  },
  {
    name: 'one row',
    shape: [1, 1, 30, 4],
    levels: [
      [3, 1, 5],
      [7, 2, 4],
    ],
  },
  {
    name: 'one channel',
    shape: [1, 33, 35, 1],
    levels: [
      [3, 1, 1],
      [5, 1, 2],
    ],
  },
  {
    name: 'more channels than are transformed at once',
    shape: [1, 12, 12, 96],
    levels: [
      [3, 1, 136],
      [5, 2, 8],
    ],
  },
];

/** Deterministic values in [-1, 1]. */
function values(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function naiveOf({ shape, levels, stride = 1, dilation = 1, padding }: Case): NaiveConv {
  const [, height, width, channels] = shape;
  const extent = (k: number) => (k - 1) * dilation + 1;
  const output = ([height, width] as const).map((size) =>
    padding === undefined
      ? Math.ceil(size / stride)
      : Math.floor((size + 2 * padding - extent(levels[0]?.[0] ?? 0)) / stride) + 1,
  );
  const before = (k: number, axis: 0 | 1) =>
    padding ??
    Math.floor(Math.max(((output[axis] ?? 0) - 1) * stride + extent(k) - (axis === 0 ? height : width), 0) / 2);
  return {
    shape,
    output: [output[0] ?? 0, output[1] ?? 0],
    strides: [stride, stride],
    dilations: [dilation, dilation],
    levels: levels.map(([kernelSize, groups, filters], i) => ({
      kernelSize,
      groups,
      filters,
      before: [before(kernelSize, 0), before(kernelSize, 1)],
      filter: Float64Array.from(values(kernelSize ** 2 * (channels / groups) * filters, i + 3)),
    })),
  };
}

const optionsOf = ({ levels, stride = 1, dilation = 1, padding }: Case) => ({
  groups: levels.map(([, groups]) => groups),
  strides: stride,
  dilations: dilation,
  ...(padding === undefined ? {} : { padding: levels.map(() => padding) }),
});

describe('PyConv2D on wasm', () => {
  it.each(CASES)('equals plain loops: $name', (c) => {
    const conv = naiveOf(c);
    const x = values(product(c.shape), 1);
    const y = naivePyConv(conv, x);
    const dy = values(y.length, 2);
    const { dx, dfilters } = naivePyConvGradients(conv, x, dy);
    const before = { tensors: tf.memory().numTensors, data: backend().numDataIds() };
    tf.tidy(() => {
      const image = tf.tensor4d(x, [...c.shape]);
      const filters = conv.levels.map(({ kernelSize: k, groups, filters, filter }) =>
        tf.tensor4d(Float32Array.from(filter), [k, k, c.shape[3] / groups, filters]),
      );
      const options = optionsOf(c);
      const actual = pyConv2d(image, filters, options);
      expect(relativeError(actual.dataSync(), y)).toBeLessThan(1e-5);
      const gradients = tf.grads((a: tf.Tensor, ...f: tf.Tensor[]) =>
        pyConv2d(a as tf.Tensor4D, f as tf.Tensor4D[], options),
      )([image, ...filters], tf.tensor4d(dy, actual.shape));
      const [inputGradient, ...filterGradients] = gradients.map((gradient) => gradient.dataSync());
      expect(relativeError(inputGradient ?? [], dx)).toBeLessThan(1e-5);
      for (const [i, gradient] of filterGradients.entries()) {
        expect(relativeError(gradient, dfilters[i] ?? [])).toBeLessThan(1e-4);
      }
    });
    expect({ tensors: tf.memory().numTensors, data: backend().numDataIds() }).toEqual(before);
  });
});

describe('the programs of PyConv2D', () => {
  const programs = () => programsOf(backend());

  /** A convolution whose tables hold `9 * height * width` places. */
  const dilated = (height: number, width: number): tf.Tensor4D =>
    pyConv2d(tf.ones([1, height, width, 1]), [tf.ones([3, 3, 1, 1])], { dilations: 2 });

  it('are kept up to a number', () => {
    for (let width = 1; width <= MOST_PROGRAMS + 20; width++) tf.tidy(() => void dilated(1, width));
    expect(programs().size).toBe(MOST_PROGRAMS);
  });

  it('keep tables up to a size, those used last', () => {
    const bytes = (height: number) => 36 * height * 1000;
    tf.tidy(() => void dilated(200, 1000));
    const one = programs().tableBytes;
    expect(one).toBeGreaterThan(bytes(200));
    for (let height = 201; height < 210; height++) tf.tidy(() => void dilated(height, 1000));
    expect(programs().tableBytes).toBeLessThanOrEqual(MOST_TABLE_BYTES);
    expect(programs().tableBytes).toBeGreaterThan(MOST_TABLE_BYTES - bytes(220));
  });

  it('leave a convolution to the composed kernel whose tables would be larger', () => {
    const [height, width] = [1000, 1000];
    expect(36 * height * width).toBeGreaterThan(MOST_TABLE_BYTES);
    tf.tidy(() => {
      const y = dilated(height, width).dataSync();
      // Ones under the kernel: 9 inside, 4 in the corners, 6 at the borders.
      expect([y[0], y[5], y[5 * width], y[5 * width + 5]]).toEqual([4, 6, 6, 9]);
      const dx = tf.grad((x) => pyConv2d(x as tf.Tensor4D, [tf.ones([3, 3, 1, 1])], { dilations: 2 }))(
        tf.ones([1, height, width, 1]),
      );
      expect(dx.dataSync()[5 * width + 5]).toBe(9);
    });
    expect(programs().tableBytes).toBeLessThanOrEqual(MOST_TABLE_BYTES);
  });

  it('take nothing from the heap that a second run does not find', () => {
    const gradients = tf.grads((x: tf.Tensor, ...f: tf.Tensor[]) =>
      pyConv2d(x as tf.Tensor4D, f as tf.Tensor4D[], { groups: [1, 4], activation: 'elu' }),
    );
    const run = () =>
      tf.tidy(
        () =>
          gradients([tf.ones([1, 40, 40, 8]), tf.ones([3, 3, 8, 4]), tf.ones([5, 5, 2, 4])], tf.ones([1, 40, 40, 8])) &&
          undefined,
      );
    const heapEnd = (): number => {
      const { wasm } = backend() as unknown as {
        wasm: { _malloc(bytes: number): number; _free(offset: number): void };
      };
      const offset = wasm._malloc(2 ** 20);
      wasm._free(offset);
      return offset;
    };
    run();
    const [bytes, end] = [programs().bytes, heapEnd()];
    for (let i = 0; i < 30; i++) run();
    expect(programs().bytes).toBe(bytes);
    expect(heapEnd()).toBe(end);
  });
});

describe('PyConv2D at the end of the heap', () => {
  const shape = [1, 256, 256, 8] as const;
  const [x, filter] = [() => tf.ones<tf.Rank.R4>([...shape]), () => tf.ones<tf.Rank.R4>([5, 5, 8, 8])];
  const spec = pyConvSpec(shape, [[5, 5, 8, 8]]);

  it.each([
    { kernel: PY_CONV_2D, attrs: { spec }, inputs: [x, filter], expected: 72 },
    { kernel: PY_CONV_2D_BACKPROP_INPUT, attrs: { spec }, inputs: [x, filter], expected: 72 },
    { kernel: PY_CONV_2D_BACKPROP_FILTER, attrs: { spec, level: 0 }, inputs: [x, x], expected: 254 * 254 },
  ])('$kernel throws an OutOfMemoryError at whatever does not fit, leaves nothing behind, and works again', (work) => {
    const inputs = work.inputs.map((make) => make());
    const run = () => {
      const [y] = runKernel(work.kernel, inputs, work.attrs);
      const first = y?.dataSync()[0];
      y?.dispose();
      return first;
    };
    const filling: tf.TensorInfo[] = [];
    const fill = () => {
      for (const size of [2 ** 28, 2 ** 23, 2 ** 18]) {
        expect(() => {
          for (;;) filling.push(backend().makeOutput([size], 'float32'));
        }).toThrow(OutOfMemoryError);
      }
    };
    tf.tidy(() => {
      pyConv2d(tf.ones<tf.Rank.R4>([1, 300, 1000, 1]), [tf.ones<tf.Rank.R4>([3, 3, 1, 1])], { dilations: 2 });
    });
    const many = programsOf(backend()).size;
    fill();
    // The programs before give way.
    expect(run()).toBeCloseTo(work.expected, 3);
    expect(many).toBeGreaterThan(1);
    expect(programsOf(backend()).size).toBe(1);
    fill();
    const before = { tensors: tf.memory().numTensors, data: backend().numDataIds() - filling.length };
    const failures: string[] = [];
    for (;;) {
      try {
        run();
        break;
      } catch (error) {
        expect(error).toBeInstanceOf(OutOfMemoryError);
        failures.push((error as Error).message);
        expect({ tensors: tf.memory().numTensors, data: backend().numDataIds() - filling.length }).toEqual(before);
      }
      const last = filling.pop();
      if (last === undefined) throw new Error('Nothing fits even into the empty heap.');
      backend().disposeData(last.dataId);
    }
    expect(failures.length).toBeGreaterThan(3);
    for (const message of failures) {
      expect(message).toMatch(
        /^Backend wasm could not get \d+ MB more; its heap holds 409\d MB and ends at 4096 MB\. Use a smaller/,
      );
    }
    for (const { dataId } of filling) backend().disposeData(dataId);
    expect(run()).toBeCloseTo(work.expected, 3);
    tf.dispose(inputs);
  });
});
