/** Conv2D's options on PyConv2D and GroupConv2D: each does what it does on Conv2D; and what the layers refuse. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type GroupConv2DArgs, groupConv2d, type PyConv2DArgs, pyConv2d } from '../../src/layers/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { countPyConv } from '../../src/spec/index.js';
import { describeBackends, startBackend } from '../backends.js';
import { relativeError } from '../naive.js';
import { modelOf } from './layerCases.js';

const image = (channels: number, seed = 1) => tf.randomNormal<tf.Rank.R4>([2, 6, 5, channels], 0, 1, 'float32', seed);
const tensorOf = (y: ReturnType<tfl.layers.Layer['apply']>): tf.Tensor => {
  if (!(y instanceof tf.Tensor)) throw new Error('The layer did not return one tensor.');
  return y;
};
const weightValues = (layer: tfl.layers.Layer): Promise<number[][]> =>
  Promise.all(layer.weights.map(async (weight) => Array.from(await weight.read().data())));

describeBackends('layers of grouped convolution', () => {
  const options: [string, Omit<GroupConv2DArgs, 'filters' | 'kernelSize'>][] = [
    ['nothing stated', {}],
    ['strides and valid padding', { strides: [2, 1], padding: 'valid' }],
    ['dilation', { dilationRate: 2 }],
    ['a fused activation', { activation: 'sigmoid' }],
    ['no bias', { useBias: false }],
    ['softplus', { activation: 'softplus' }],
    ['hardSigmoid', { activation: 'hardSigmoid' }],
    ['softmax', { activation: 'softmax' }],
    ['initializers', { kernelInitializer: 'ones', biasInitializer: 'ones' }],
  ];
  it.each(options)('GroupConv2D of one group is Conv2D: %s', async (_, extra) => {
    const common = { filters: 4, kernelSize: 3, kernelInitializer: 'ones', ...extra } as const;
    const { padding = 'same', strides = 1, dilationRate = 1 } = extra;
    const ours = groupConv2d(common);
    const theirs = tfl.layers.conv2d({
      ...common,
      padding: padding as 'same',
      strides: strides as number,
      dilationRate: dilationRate as number,
    });
    const x = image(3);
    tf.dispose([tensorOf(ours.apply(x)), tensorOf(theirs.apply(x))]);
    const weights = tf.tidy(() =>
      ours.getWeights().map((w, i) => tf.keep(tf.randomNormal(w.shape, 0, 0.3, 'float32', i + 1))),
    );
    ours.setWeights(weights);
    theirs.setWeights(weights);
    const [actual, expected] = [tensorOf(ours.apply(x)), tensorOf(theirs.apply(x))];
    expect(actual.shape).toEqual(expected.shape);
    expect(relativeError(await actual.data(), await expected.data())).toBeLessThan(1e-5);
    tf.dispose([x, weights, actual, expected]);
    ours.dispose();
    theirs.dispose();
  });

  it('GroupConv2D of as many groups as channels is DepthwiseConv2D', async () => {
    const ours = groupConv2d({ filters: 4, kernelSize: 3, groups: 4, biasInitializer: 'ones' });
    const theirs = tfl.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', biasInitializer: 'ones' });
    const x = image(4);
    tf.dispose([tensorOf(ours.apply(x)), tensorOf(theirs.apply(x))]);
    const [kernel, bias] = ours.getWeights() as [tf.Tensor, tf.Tensor];
    const transposed = tf.transpose(kernel, [0, 1, 3, 2]);
    theirs.setWeights([transposed, bias]);
    const [actual, expected] = [tensorOf(ours.apply(x)), tensorOf(theirs.apply(x))];
    expect(relativeError(await actual.data(), await expected.data())).toBeLessThan(1e-5);
    tf.dispose([x, transposed, actual, expected]);
    ours.dispose();
    theirs.dispose();
  });

  it('PyConv2D is its levels side by side', async () => {
    const pyramid = pyConv2d({ filters: [2, 4, 6], groups: [1, 2, 2], activation: 'tanh', biasInitializer: 'ones' });
    const x = image(4);
    const y = tensorOf(pyramid.apply(x));
    const bias = tf.ones([12]);
    const levels = [2, 4, 6].map((filters, i) => {
      const layer = groupConv2d({ filters, kernelSize: 3 + 2 * i, groups: i === 0 ? 1 : 2, activation: 'tanh' });
      layer.build(x.shape);
      const kernel = pyramid.getWeights()[i];
      if (kernel === undefined) throw new Error(`There is no level ${i + 1}.`);
      layer.setWeights([kernel, tf.ones([filters])]);
      return layer;
    });
    const parts = levels.map((layer) => tensorOf(layer.apply(x)));
    const expected = tf.concat(parts, 3);
    expect(relativeError(await y.data(), await expected.data())).toBeLessThan(1e-5);
    tf.dispose([x, y, bias, parts, expected]);
  });

  it('adds regularizers of kernels and bias to the loss of training', async () => {
    const model = modelOf(
      pyConv2d({
        filters: [1, 1],
        groups: [1, 1],
        kernelInitializer: 'ones',
        biasInitializer: 'ones',
        kernelRegularizer: tfl.regularizers.l2({ l2: 0.01 }),
        biasRegularizer: tfl.regularizers.l1({ l1: 0.1 }),
      }),
      1,
    );
    const optimizer = tf.train.sgd(0);
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const x = tf.zeros<tf.Rank.R4>([1, 4, 4, 1]);
    const target = tf.ones<tf.Rank.R4>([1, 4, 4, 2]);
    // The output is the bias, 1, as wanted; what is left are 9 + 25 kernel weights of 1 and two biases.
    expect(Number(await model.trainOnBatch(x, target))).toBeCloseTo(0.01 * 34 + 0.1 * 2, 5);
    tf.dispose([x, target]);
    model.dispose();
    optimizer.dispose();
  });

  it('holds constraints where tfjs does: for weights that are set, which its training steps do not do', async () => {
    const layer = pyConv2d({
      filters: [2, 2],
      groups: [1, 2],
      kernelConstraint: 'nonNeg',
      biasConstraint: tfl.constraints.unitNorm({ axis: 0 }),
    });
    layer.build([null, null, null, 2]);
    tf.tidy(() => layer.setWeights(layer.getWeights().map((w, i) => tf.randomNormal(w.shape, 0, 1, 'float32', i + 1))));
    const [first = [], second = [], bias = []] = await weightValues(layer);
    for (const kernel of [first, second]) {
      expect(Math.min(...kernel)).toBe(0);
      expect(Math.max(...kernel)).toBeGreaterThan(0);
    }
    expect(Math.hypot(...bias)).toBeCloseTo(1, 5);
  });

  it('draws every level by its own fan-in, and from a seed of its own', async () => {
    const kernelInitializer = tfl.initializers.varianceScaling({
      scale: 1 / 3,
      mode: 'fanIn',
      distribution: 'uniform',
      seed: 7,
    });
    const make = () => {
      const layer = pyConv2d({ filters: 64, kernelSizes: [3, 3, 7], groups: [1, 1, 8], kernelInitializer });
      layer.build([null, null, null, 16]);
      return weightValues(layer);
    };
    const [first = [], second = [], third = []] = await make();
    expect(await make()).toEqual([first, second, third, new Array(64).fill(0)]);
    // Levels of one shape, and a level that is longer, share no run of numbers.
    expect(second).not.toEqual(first);
    expect(Math.abs(correlation(first, second))).toBeLessThan(0.1);
    expect(Math.abs(correlation(first, third.slice(0, first.length)))).toBeLessThan(0.1);
    // Uniform within 1 / sqrt(k k channels / groups).
    for (const [kernel, fanIn] of [
      [first, 9 * 16],
      [second, 9 * 16],
      [third, 49 * 2],
    ] as const) {
      const largest = Math.max(...kernel.map(Math.abs)) * Math.sqrt(fanIn);
      expect(largest).toBeLessThanOrEqual(1 + 1e-6);
      expect(largest).toBeGreaterThan(0.98);
    }
  });

  it('draws the same weights again from seed 0, which tfjs reads as none', async () => {
    const seeded = {
      kernelInitializer: tfl.initializers.heNormal({ seed: 0 }),
      biasInitializer: tfl.initializers.randomNormal({ seed: 0 }),
    };
    for (const make of [
      () => pyConv2d({ filters: 8, kernelSizes: [3, 5], groups: [1, 2], ...seeded }),
      () => groupConv2d({ filters: 8, kernelSize: 3, ...seeded }),
    ]) {
      const [one, two] = [make(), make()];
      one.build([null, null, null, 4]);
      two.build([null, null, null, 4]);
      expect(await weightValues(one)).toEqual(await weightValues(two));
      expect(one.getConfig().kernelInitializer).toMatchObject({ config: { seed: 0 } });
    }
  });

  it('takes an initializer of a class that is not registered', async () => {
    // tfjs exports no base class of initializers, only functions that make some.
    const zeros = tfl.initializers.zeros();
    const Initializer: new () => typeof zeros = Object.getPrototypeOf(zeros.constructor);
    class Half extends Initializer {
      static readonly className = 'Half';
      override apply(shape: tfl.Shape): tf.Tensor {
        return tf.fill(
          shape.map((size) => size ?? 0),
          0.5,
        );
      }
    }
    const layer = pyConv2d({ filters: 4, kernelSizes: [3, 5], groups: [1, 2], kernelInitializer: new Half() });
    layer.build([null, null, null, 2]);
    expect(new Set((await weightValues(layer)).slice(0, 2).flat())).toEqual(new Set([0.5]));
  });
});

/** Pearson's. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (v: readonly number[]) => v.reduce((s, x) => s + x, 0) / v.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f: (x: number, y: number) => number) => a.reduce((s, x, i) => s + f(x - ma, (b[i] ?? 0) - mb), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}

describe('shapes before there are weights', () => {
  it("does not fix groups: 'auto' to the first shape that was asked for", () => {
    const layer = pyConv2d({ filters: 32, groups: 'auto' });
    expect(layer.computeOutputShape([null, null, null, 3])).toEqual([null, null, null, 32]);
    expect(layer.computeOutputShape([null, null, null, 16])).toEqual([null, null, null, 32]);
    expect(layer.spec([1, 8, 8, 3]).levels.map((level) => level.groups)).toEqual([1, 1, 1, 1]);
    expect(layer.spec([1, 8, 8, 16]).levels.map((level) => level.groups)).toEqual([1, 4, 8, 16]);
  });

  it('specifies the convolution with its strides, padding and fused activation', () => {
    const layer = pyConv2d({ filters: [2, 4], groups: [1, 2], strides: 2, padding: [1, 2], activation: 'relu' });
    const spec = layer.spec([1, 9, 7, 4]);
    expect(spec.output).toEqual({ height: 5, width: 4, channels: 6 });
    expect(spec.activation).toBe('relu');
    expect(countPyConv(spec)).toEqual({ parameters: 9 * 4 * 2 + 25 * 2 * 4, macs: (72 + 200) * 20 });
    expect(pyConv2d({ filters: 8, groups: 'auto', activation: 'softplus' }).spec([1, 4, 4, 3]).activation).toBe(
      'linear',
    );
  });
});

describe('messages', () => {
  beforeAll(() => startBackend('cpu'));
  const build =
    (args: PyConv2DArgs, shape: tfl.Shape = [null, null, null, 8]) =>
    () =>
      pyConv2d({ name: 'mine', ...args }).build(shape);
  it.each([
    [
      'groups that the input does not allow',
      build({ filters: 32 }),
      "The groups of level 4 must be a positive whole number that divides both its input channels and its filters. Received: groups=16, inputChannels=8, filters=16. Choose other groups; the layer PyConv2D also takes groups: 'auto'.",
    ],
    [
      'an even kernel',
      build({ filters: 8, kernelSizes: [4] }),
      'kernelSizes must hold odd positive whole numbers, one for each level. Received: kernelSizes=[4].',
    ],
    [
      'lists of different length',
      build({ filters: 8, kernelSizes: [3, 5], groups: [1] }),
      'A pyramidal convolution needs one entry per level in each list, and at least one level. Received: kernelSizes=[3, 5], groups=[1]. Give the lists the same length.',
    ],
    [
      'unknown channels',
      build({ filters: 8 }, [null, 4, 4, null]),
      'Layer mine takes images [batch, height, width, channels] with a known number of channels. Received: shape [null, 4, 4, null].',
    ],
    [
      'no image',
      build({ filters: 8 }, [null, 8]),
      'Layer mine takes images [batch, height, width, channels] with a known number of channels. Received: shape [null, 8].',
    ],
    [
      'valid padding of several kernels',
      build({ filters: 8, groups: 'auto', padding: 'valid' }, [null, 20, null, 8]),
      "All levels must give the same height: kernel 3 with padding 0 gives 18, kernel 5 with padding 0 gives 16, kernel 7 with padding 0 gives 14, kernel 9 with padding 0 gives 12. Use padding 'same', or one number per level such as [1, 2, 3, 4].",
    ],
    [
      'filters that the groups of GroupConv2D do not divide',
      () => groupConv2d({ filters: 6, kernelSize: 3, groups: 4 }).build([null, 4, 4, 8]),
      "The groups of level 1 must be a positive whole number that divides both its input channels and its filters. Received: groups=4, inputChannels=8, filters=6. Choose other groups; the layer PyConv2D also takes groups: 'auto'.",
    ],
  ])('refuse %s before a weight exists', (_, call, message) => {
    const before = tf.memory().numTensors;
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(new InvalidArgumentError(message));
    expect(tf.memory().numTensors).toBe(before);
  });

  const LAYER = 'name, trainable, inputShape, batchInputShape, batchSize, dtype, inputDType, weights';
  const KERAS =
    'strides, padding, dilationRate, useBias, activation, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint';
  const PADDING = "padding must be 'same', 'valid', a whole number >= 0, or one such number for each of the 4 levels.";
  const pyramid = (args: object) => () => pyConv2d({ filters: 8, ...args });
  const group = (args: object) => () => groupConv2d({ filters: 8, kernelSize: 3, ...args });
  it.each<[string, () => unknown, string]>([
    [
      'filters: 0',
      pyramid({ filters: 0 }),
      'filters must be a positive whole number, or one for each level. Received: filters=0.',
    ],
    ['padding: foo', pyramid({ padding: 'foo' }), `${PADDING} Received: padding="foo".`],
    ['a padding of sides', pyramid({ padding: { top: 1 } }), `${PADDING} Received: padding={"top":1}.`],
    [
      'strides: -1',
      pyramid({ strides: -1 }),
      'strides must be a positive whole number or [rows, columns] of such. Received: strides=-1.',
    ],
    [
      'dilationRate: [1, 0]',
      group({ dilationRate: [1, 0] }),
      'dilationRate must be a positive whole number or [rows, columns] of such. Received: dilationRate=[1, 0].',
    ],
    ['useBias: no', group({ useBias: 'no' }), 'useBias must be true or false. Received: useBias="no".'],
    [
      'a kernel size of two numbers',
      group({ kernelSize: [3, 3] }),
      'kernelSize of GroupConv2D must be one odd positive whole number. Received: kernelSize=[3, 3].',
    ],
    [
      "groups: 'auto' of GroupConv2D",
      group({ groups: 'auto' }),
      'groups of GroupConv2D must be a positive whole number. Received: groups="auto".',
    ],
    [
      'no filters of GroupConv2D',
      group({ filters: undefined }),
      'filters of GroupConv2D must be a positive whole number. Received: filters=undefined.',
    ],
    [
      "the op's names",
      pyramid({ kernelSize: [3, 5], dilations: 2 }),
      `PyConv2D has no option 'kernelSize'. Its options are filters, kernelSizes, groups, split, ${KERAS}, ${LAYER}.`,
    ],
    [
      "a pyramid's names",
      group({ split: [1] }),
      `GroupConv2D has no option 'split'. Its options are filters, kernelSize, groups, ${KERAS}, ${LAYER}.`,
    ],
    [
      'channels first',
      group({ dataFormat: 'channelsFirst' }),
      'GroupConv2D takes images [batch, height, width, channels], the channels last. Received: dataFormat="channelsFirst". Transpose channels-first images with tf.transpose(x, [0, 2, 3, 1]), and leave dataFormat out.',
    ],
    [
      'no options',
      () => pyConv2d(undefined as unknown as PyConv2DArgs),
      `PyConv2D takes an object of options. Received: undefined. Its options are filters, kernelSizes, groups, split, ${KERAS}, ${LAYER}.`,
    ],
  ])('refuse %s at construction', (_, call, message) => {
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(new InvalidArgumentError(message));
  });

  it('pass channels last, which is what the layers do', () => {
    expect(group({ dataFormat: 'channelsLast' })).not.toThrow();
  });

  it("leave tfjs's counters of default names alone, and count by kind", () => {
    const numberOf = (layer: tfl.layers.Layer) => Number(/\d+$/.exec(layer.name)?.[0]);
    const activation = () => numberOf(tfl.layers.activation({ activation: 'relu' }));
    const conv = () => numberOf(tfl.layers.conv2d({ filters: 1, kernelSize: 1 }));
    const first = [activation(), conv()];
    const one = numberOf(pyConv2d({ filters: 8, activation: 'softplus' }));
    groupConv2d({ filters: 8, kernelSize: 3 });
    expect(numberOf(pyConv2d({ filters: 8 }))).toBe(one + 1);
    expect([activation(), conv()]).toEqual(first.map((n) => n + 1));
  });

  it("pass on Conv2D's own for unknown names", () => {
    expect(() => pyConv2d({ filters: 8, activation: 'swishy' as 'relu' })).toThrow(/swishy/);
    expect(() => pyConv2d({ filters: 8, kernelInitializer: 'heWeird' as 'heNormal' })).toThrow(/heWeird/);
    expect(() => pyConv2d({ filters: 8, biasConstraint: 'odd' as 'nonNeg' })).toThrow(/odd/);
  });
});
