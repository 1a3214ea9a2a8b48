import * as tf from '@tensorflow/tfjs-core';
import '../../src/wasm.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NaiveConv, naivePyConvGradients, relativeError } from '../naive.js';

/** Runs one tfjs kernel on wasm and returns its values; nothing else may be left. */
async function run(
  kernel: string,
  inputs: Record<string, { shape: number[]; values: Float32Array }>,
  attrs: object,
): Promise<{ shape: number[]; values: Float32Array }> {
  await tf.setBackend('wasm');
  const before = tf.memory().numTensors;
  const result = tf.tidy(() => {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, values }]) => [name, tf.tensor(values, shape, 'float32')]),
    );
    const output: tf.Tensor = tf.engine().runKernel(kernel, tensors, attrs as tf.NamedAttrMap);
    return { shape: output.shape, values: output.dataSync<'float32'>().slice() };
  });
  expect(tf.memory().numTensors).toBe(before);
  return result;
}

function random(shape: number[], seed: number): { shape: number[]; values: Float32Array } {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return { shape, values: Float32Array.from({ length: tf.util.sizeFromShape(shape) }, next) };
}

function naive(info: tf.backend_util.Conv2DInfo, filter: Float32Array, groups: number): NaiveConv {
  return {
    shape: info.inShape,
    output: [info.outHeight, info.outWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    levels: [
      {
        kernelSize: info.filterHeight,
        groups,
        before: [info.padInfo.top, info.padInfo.left],
        filter: Float64Array.from(filter),
        filters: info.outChannels,
      },
    ],
  };
}

const geometry = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    height: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 1, max: 7 }),
    inChannels: fc.integer({ min: 1, max: 3 }),
    out: fc.integer({ min: 1, max: 3 }),
    k: fc.integer({ min: 1, max: 4 }),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pad: fc.oneof(
      fc.constantFrom('same' as const, 'valid' as const),
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }).map(
        ([top, bottom, left, right]) =>
          [
            [0, 0],
            [top, bottom],
            [left, right],
            [0, 0],
          ] as [number, number][],
      ),
    ),
    seed: fc.nat(),
  })
  .filter(({ pad, height, width, k }) => {
    const [rows, columns] = typeof pad === 'string' ? [0, 0] : [pad[1][0] + pad[1][1], pad[2][0] + pad[2][1]];
    return pad === 'same' || (height + rows >= k && width + columns >= k);
  });

test('the gradients of a dense convolution equal plain loops, for any stride and padding', async () => {
  await fc.assert(
    fc.asyncProperty(geometry, async ({ batch, height, width, inChannels, out, k, strides, pad, seed }) => {
      const inputShape: [number, number, number, number] = [batch, height, width, inChannels];
      const filterShape: [number, number, number, number] = [k, k, inChannels, out];
      const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad as 'same');
      const x = random(inputShape, seed);
      const filter = random(filterShape, seed + 1);
      const dy = random(info.outShape, seed + 2);
      const attrs = { strides, pad, dataFormat: 'NHWC', dimRoundingMode: undefined };
      const { dx, dfilters } = naivePyConvGradients(naive(info, filter.values, 1), x.values, dy.values);
      const df = await run('Conv2DBackpropFilter', { x, dy }, { ...attrs, filterShape });
      expect(df.shape).toEqual(filterShape);
      expect(relativeError(df.values, dfilters[0])).toBeLessThan(1e-5);
      const gradient = await run('Conv2DBackpropInput', { dy, filter }, { ...attrs, inputShape });
      expect(gradient.shape).toEqual(inputShape);
      expect(relativeError(gradient.values, dx)).toBeLessThan(1e-5);
    }),
    { numRuns: 600, seed: 1 },
  );
});

test('the gradients of a depthwise convolution equal plain loops, with dilation and multiplier', async () => {
  const dilated = fc.tuple(geometry, fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })));
  await fc.assert(
    fc.asyncProperty(dilated, async ([{ batch, height, width, inChannels, out, k, strides, seed }, dilations]) => {
      const inputShape: [number, number, number, number] = [batch, height, width, inChannels];
      const filterShape: [number, number, number, number] = [k, k, inChannels, out];
      const info = tf.backend_util.computeConv2DInfo(
        inputShape,
        filterShape,
        strides,
        dilations,
        'same',
        undefined,
        true,
      );
      const x = random(inputShape, seed);
      const filter = random(filterShape, seed + 1);
      const dy = random(info.outShape, seed + 2);
      const attrs = { strides, dilations, pad: 'same', dimRoundingMode: undefined };
      const { dx, dfilters } = naivePyConvGradients(naive(info, filter.values, inChannels), x.values, dy.values);
      const df = await run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...attrs, filterShape });
      expect(df.shape).toEqual(filterShape);
      expect(relativeError(df.values, dfilters[0])).toBeLessThan(1e-5);
      const gradient = await run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...attrs, inputShape });
      expect(gradient.shape).toEqual(inputShape);
      expect(relativeError(gradient.values, dx)).toBeLessThan(1e-5);
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('UnsortedSegmentSum adds rows by segment and leaves out those of no segment', async () => {
  await tf.setBackend('wasm');
  const [sums, integers] = tf.tidy(() => [
    tf
      .unsortedSegmentSum(
        tf.tensor2d([
          [1, 2],
          [3, 4],
          [5, 6],
          [7, 8],
        ]),
        tf.tensor1d([2, 0, 2, -1], 'int32'),
        3,
      )
      .arraySync(),
    tf.unsortedSegmentSum(tf.tensor1d([1, 2, 3], 'int32'), tf.tensor1d([1, 1, 0], 'int32'), 2).arraySync(),
  ]);
  expect(sums).toEqual([
    [3, 4],
    [0, 0],
    [6, 8],
  ]);
  expect(integers).toEqual([3, 3]);
});

test('a saved tensor shares the memory of the tensor itself', async () => {
  await tf.setBackend('wasm');
  const backend = tf.backend() as unknown as { getMemoryOffset(dataId: object): number };
  const x = tf.tensor1d([1, 2]);
  const copies = [tf.clone(x), tf.cast(x, 'float32')];
  for (const copy of copies) expect(backend.getMemoryOffset(copy.dataId)).toBe(backend.getMemoryOffset(x.dataId));
  const integer = tf.cast(x, 'int32');
  x.dispose();
  expect([...copies[0].dataSync(), ...copies[1].dataSync(), ...integer.dataSync()]).toEqual([1, 2, 1, 2, 1, 2]);
  tf.dispose([...copies, integer]);
  expect(tf.engine().state.numTensors).toBe(0);
  expect(tf.backend().numDataIds()).toBe(0);
});
