/** What pyConv2d promises beside its numbers: ranks, fused parts, gradients on demand, no leaks, and its messages. */
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of tfjs's own ops, as the package does.
import '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  groupConv2d,
  PY_CONV_2D,
  PY_CONV_2D_BACKPROP_FILTER,
  PY_CONV_2D_BACKPROP_INPUT,
  pyConv2d,
} from '../../src/ops/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { ACTIVATIONS } from '../../src/spec/index.js';
import { describeBackends, startBackend } from '../backends.js';
import { relativeError } from '../naive.js';

const normal = <R extends tf.Rank>(shape: tf.ShapeMap[R], seed: number) =>
  tf.randomNormal<R>(shape, 0, 1, 'float32', seed);

const variable = <R extends tf.Rank>(make: () => tf.Tensor<R>): tf.Variable<R> => tf.tidy(() => tf.variable(make()));

/** Names of the kernels of this package that `f` runs. */
async function ownKernels(f: () => tf.TensorContainer): Promise<string[]> {
  const profile = await tf.profile(() => {
    tf.dispose(f());
    return tf.scalar(0);
  });
  tf.dispose(profile.result);
  return profile.kernels.map(({ name }) => name).filter((name) => name.startsWith('PyConv2D'));
}

describeBackends('pyConv2d', () => {
  let before = 0;
  let x: tf.Tensor4D;
  let filters: tf.Tensor4D[];
  let bias: tf.Tensor1D;
  const groups = [1, 4];
  beforeEach(() => {
    before = tf.memory().numTensors;
    x = normal<tf.Rank.R4>([2, 5, 6, 8], 1);
    filters = [normal<tf.Rank.R4>([3, 3, 8, 2], 2), normal<tf.Rank.R4>([5, 5, 2, 4], 3)];
    bias = normal<tf.Rank.R1>([6], 4);
  });
  afterEach(() => {
    tf.dispose([x, filters, bias]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes one image of rank 3 and gives rank 3, as does its gradient', async () => {
    const image = normal<tf.Rank.R3>([5, 6, 8], 5);
    const batch = tf.expandDims<tf.Tensor4D>(image, 0);
    const options = { groups, bias };
    const y = pyConv2d(image, filters, options);
    const expected = pyConv2d(batch, filters, options);
    expect(y.shape).toEqual([5, 6, 6]);
    expect(await y.data()).toEqual(await expected.data());
    const gradient = tf.grad((a) => pyConv2d(a as tf.Tensor3D, filters, options))(image);
    const wanted = tf.grad((a) => pyConv2d(a as tf.Tensor4D, filters, options))(batch);
    expect(gradient.shape).toEqual([5, 6, 8]);
    expect(await gradient.data()).toEqual(await wanted.data());
    tf.dispose([image, batch, y, expected, gradient, wanted]);
  });

  it.each(ACTIVATIONS)('fuses bias and %s to the same values and gradients as apart', async (activation) => {
    const apply = {
      linear: (y: tf.Tensor) => y,
      relu: tf.relu,
      relu6: tf.relu6,
      elu: tf.elu,
      sigmoid: tf.sigmoid,
      tanh: tf.tanh,
    }[activation];
    const parts = [x, ...filters, bias];
    const fused = (...[a, f1, f2, b]: tf.Tensor[]) =>
      pyConv2d(a as tf.Tensor4D, [f1, f2] as tf.Tensor4D[], { groups, bias: b as tf.Tensor1D, activation });
    const apart = (...[a, f1, f2, b]: tf.Tensor[]) =>
      apply(tf.add(pyConv2d(a as tf.Tensor4D, [f1, f2] as tf.Tensor4D[], { groups }), b as tf.Tensor1D));
    const values = [fused(...parts), tf.tidy(() => apart(...parts))];
    expect(relativeError(await (values[0] as tf.Tensor).data(), await (values[1] as tf.Tensor).data())).toBeLessThan(
      1e-6,
    );
    const gradients = [tf.grads(fused)(parts), tf.grads(apart)(parts)];
    for (const i of parts.keys()) {
      const [a, b] = gradients.map((g) => (g[i] as tf.Tensor).data());
      expect(relativeError((await a) ?? [], (await b) ?? [])).toBeLessThan(1e-5);
    }
    tf.dispose([values, gradients]);
  });

  it.each([
    { shape: [1, 1, 1, 8], strides: 1, output: [1, 1, 1, 6] },
    { shape: [1, 1, 7, 8], strides: 2, output: [1, 1, 4, 6] },
    { shape: [3, 2, 3, 8], strides: 3, output: [3, 1, 1, 6] },
  ])('takes images smaller than its kernels: $shape', async ({ shape, strides, output }) => {
    const image = tf.ones<tf.Rank.R4>(shape as [number, number, number, number]);
    const y = pyConv2d(image, filters, { groups, strides });
    const gradient = tf.grad((a) => pyConv2d(a as tf.Tensor4D, filters, { groups, strides }))(image);
    expect(y.shape).toEqual(output);
    expect(gradient.shape).toEqual(shape);
    for (const value of await gradient.data()) expect(Number.isFinite(value)).toBe(true);
    tf.dispose([image, y, gradient]);
  });

  it('has equal gradients under grad, grads, valueAndGrads and variableGrads', async () => {
    const loss = (a: tf.Tensor, f: tf.Tensor): tf.Scalar =>
      tf.sum(tf.square(groupConv2d(a as tf.Tensor4D, f as tf.Tensor4D, { groups: 4 })));
    const filter = variable(() => normal<tf.Rank.R4>([3, 3, 2, 4], 6));
    const both = tf.grads(loss)([x, filter]);
    const dx = tf.grad((a) => loss(a, filter))(x);
    const dfilter = tf.grad((f) => loss(x, f))(filter);
    const valued = tf.valueAndGrads(loss)([x, filter]);
    const ofVariables = tf.variableGrads(() => loss(x, filter), [filter]);
    const [expectedX, expectedFilter] = await Promise.all(both.map((g) => g.data()));
    expect(await dx.data()).toEqual(expectedX);
    expect(await dfilter.data()).toEqual(expectedFilter);
    expect(await Promise.all(valued.grads.map((g) => g.data()))).toEqual([expectedX, expectedFilter]);
    expect(await ofVariables.grads[filter.name]?.data()).toEqual(expectedFilter);
    tf.dispose([both, dx, dfilter, valued.value, valued.grads, ofVariables.value, ofVariables.grads]);
    filter.dispose();
  });

  it('runs the kernels that are asked for and no others', async () => {
    const options = { groups, bias };
    const [f1, f2] = filters as [tf.Tensor4D, tf.Tensor4D];
    const run = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) =>
      pyConv2d(a as tf.Tensor4D, [b, c] as tf.Tensor4D[], options);
    expect(await ownKernels(() => run(x, f1, f2))).toEqual([PY_CONV_2D]);
    const names = async (f: () => tf.TensorContainer) => (await ownKernels(f)).sort();
    expect(await names(() => tf.grad((a) => run(a, f1, f2))(x))).toEqual([PY_CONV_2D, PY_CONV_2D_BACKPROP_INPUT]);
    expect(await names(() => tf.grad((f) => run(x, f1, f))(f2))).toEqual([PY_CONV_2D, PY_CONV_2D_BACKPROP_FILTER]);
    expect(await names(() => tf.grad((b) => pyConv2d(x, filters, { groups, bias: b as tf.Tensor1D }))(bias))).toEqual([
      PY_CONV_2D,
    ]);
    expect(await names(() => tf.grads(run)([x, f1, f2]))).toEqual([
      PY_CONV_2D,
      PY_CONV_2D_BACKPROP_FILTER,
      PY_CONV_2D_BACKPROP_FILTER,
      PY_CONV_2D_BACKPROP_INPUT,
    ]);
  });

  it('learns: variables of several levels follow an optimizer', async () => {
    const target = tf.tidy(() => pyConv2d(x, filters, { groups, bias }));
    const weights = [
      variable(() => tf.zeros<tf.Rank.R4>([3, 3, 8, 2])),
      variable(() => tf.zeros<tf.Rank.R4>([5, 5, 2, 4])),
    ] as const;
    const offset = variable(() => tf.zeros<tf.Rank.R1>([6]));
    const optimizer = tf.train.sgd(0.3);
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) {
      const cost = optimizer.minimize(
        () => tf.mean(tf.squaredDifference(pyConv2d(x, [...weights], { groups, bias: offset }), target)) as tf.Scalar,
        true,
      );
      losses.push((await cost?.data())?.[0] ?? Number.NaN);
      cost?.dispose();
    }
    expect([...losses].sort((a, b) => b - a)).toEqual(losses);
    expect(losses[4]).toBeLessThan((losses[0] ?? 0) / 2);
    tf.dispose([target, ...weights, offset]);
    optimizer.dispose();
  });

  it('keeps its inputs and leaves nothing behind, inside and outside of tidy', async () => {
    const run = () => pyConv2d(x, filters, { groups, bias, activation: 'elu', strides: 2 });
    const count = tf.memory().numTensors;
    const y = run();
    expect(tf.memory().numTensors).toBe(count + 1);
    const tidied = tf.tidy(run);
    expect(tf.memory().numTensors).toBe(count + 2);
    expect(await tidied.data()).toEqual(await y.data());
    expect(x.isDisposed || bias.isDisposed || filters.some((filter) => filter.isDisposed)).toBe(false);
    tf.dispose([y, tidied]);
  });
});

describeBackends('second derivatives of pyConv2d', () => {
  type Loss = (x: tf.Tensor, filter: tf.Tensor) => tf.Scalar;
  const ours: Loss = (a, f) => tf.sum(tf.square(pyConv2d(a as tf.Tensor4D, [f as tf.Tensor4D])));
  const tfjs: Loss = (a, f) => tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, f as tf.Tensor4D, 1, 'same')));
  let x: tf.Tensor4D;
  let filter: tf.Tensor4D;
  beforeEach(() => {
    x = normal<tf.Rank.R4>([2, 5, 6, 8], 1);
    filter = normal<tf.Rank.R4>([3, 3, 8, 2], 2);
  });
  afterEach(() => tf.dispose([x, filter]));
  // The first derivative of a linear function does not depend on x, that with respect to a filter does.
  const throughFilter = (loss: Loss) => () =>
    tf.tidy(() => tf.grad((a) => tf.sum(tf.grad((f) => loss(a, f))(filter)))(x));
  const throughImage = (loss: Loss) => () =>
    tf.tidy(() => tf.grad((f) => tf.sum(tf.square(tf.grad((a) => loss(a, f))(x))))(filter));

  it('are refused with a sentence', () => {
    expect(throughFilter(ours)).toThrow(InvalidArgumentError);
    expect(throughFilter(ours)).toThrow(
      new InvalidArgumentError(
        "pyconvunet's convolutions and batch normalisation have first derivatives only. Received: a request for the derivative of PyConv2DBackpropFilter. Use tf.grad and tf.variableGrads once, not nested.",
      ),
    );
    expect(throughImage(ours)).toThrow('Received: a request for the derivative of PyConv2DBackpropInput.');
  });

  it('leave behind what tfjs leaves of its own convolution, and the output, which is saved too', () => {
    // tfjs keeps what a tape has saved where a backward pass throws, whoever throws.
    const leak = (call: () => void) => {
      const before = tf.memory().numTensors;
      expect(call).toThrow();
      return tf.memory().numTensors - before;
    };
    expect(leak(throughFilter(ours))).toBe(leak(throughFilter(tfjs)) + 1);
  });
});

describe('messages of pyConv2d', () => {
  const image = (channels: number) => tf.ones<tf.Rank.R4>([1, 2, 2, channels]);
  it.each([
    [
      'x of rank 2',
      () => pyConv2d(tf.ones([2, 2]) as unknown as tf.Tensor4D, []),
      'x must be a float32 tensor of rank 3 or 4. Received: a tensor of float32 and shape [2, 2].',
    ],
    [
      'whole numbers',
      () => pyConv2d(tf.ones<tf.Rank.R4>([1, 2, 2, 1], 'int32'), []),
      'x must be a float32 tensor of rank 3 or 4. Received: a tensor of int32 and shape [1, 2, 2, 1].',
    ],
    [
      'no tensor',
      () => pyConv2d([[1]] as unknown as tf.Tensor4D, []),
      'x must be a float32 tensor of rank 3 or 4. Received: 1.',
    ],
    [
      'a filter in place of a list',
      () => pyConv2d(image(1), tf.ones([3, 3, 1, 1]) as unknown as tf.Tensor4D[]),
      'filters must be a list with one filter per level. Received: a tensor of float32 and shape [3, 3, 1, 1]. Write [filter] for one level.',
    ],
    [
      'a filter of rank 3',
      () => pyConv2d(image(1), [tf.ones([3, 3, 1, 1]), tf.ones([3, 3, 1]) as unknown as tf.Tensor4D]),
      'The filter of level 2 must be a float32 tensor of rank 4. Received: a tensor of float32 and shape [3, 3, 1].',
    ],
    [
      'a filter that is missing',
      () => groupConv2d(image(1), undefined as unknown as tf.Tensor4D),
      'The filter of level 1 must be a float32 tensor of rank 4. Received: undefined.',
    ],
    [
      'no filter',
      () => pyConv2d(image(1), []),
      'A pyramidal convolution needs at least one level. Received: filters=[].',
    ],
    [
      'a bias of another length',
      () => groupConv2d(image(1), tf.ones([3, 3, 1, 2]), { bias: tf.ones([3]) }),
      'bias must have one value for each of the 2 output channels. Received: 3 values.',
    ],
    [
      'a bias of rank 2',
      () => groupConv2d(image(1), tf.ones([3, 3, 1, 2]), { bias: tf.ones([1, 2]) as unknown as tf.Tensor1D }),
      'bias must be a float32 tensor of rank 1. Received: a tensor of float32 and shape [1, 2].',
    ],
    [
      'groups that do not fit',
      () => groupConv2d(image(3), tf.ones([3, 3, 1, 4]), { groups: 2 }),
      "The groups of level 1 must be a positive whole number that divides both its input channels and its filters. Received: groups=2, inputChannels=3, filters=4. Choose other groups; the layer PyConv2D also takes groups: 'auto'.",
    ],
    [
      "groups: 'auto'",
      () => pyConv2d(image(1), [tf.ones([3, 3, 1, 2])], { groups: 'auto' as unknown as number }),
      'groups must be a whole number, or a list with one for each of the 1 levels. Received: groups="auto". The layer PyConv2D takes groups: \'auto\'.',
    ],
    [
      'a padding of sides',
      () => groupConv2d(image(1), tf.ones([3, 3, 1, 2]), { padding: { top: 1 } as unknown as number }),
      `padding must be 'same', 'valid', a whole number >= 0, or one such number for each of the 1 levels. Received: padding={"top":1}.`,
    ],
    [
      'an unknown option',
      () => pyConv2d(image(1), [tf.ones([3, 3, 1, 2])], { stride: 2 } as object),
      "pyConv2d has no option 'stride'. Its options are groups, strides, padding, dilations, activation, bias.",
    ],
    [
      'an unknown option, by the name of the op that was called',
      () => groupConv2d(image(1), tf.ones([3, 3, 1, 2]), { dilationRate: 2 } as object),
      "groupConv2d has no option 'dilationRate'. Its options are groups, strides, padding, dilations, activation, bias.",
    ],
    [
      'channels first',
      () => groupConv2d(image(1), tf.ones([3, 3, 1, 2]), { dataFormat: 'channelsFirst' } as object),
      'groupConv2d takes images [batch, height, width, channels], the channels last. Received: dataFormat="channelsFirst". Transpose channels-first images with tf.transpose(x, [0, 2, 3, 1]), and leave dataFormat out.',
    ],
  ])('refuses %s', async (_, call, message) => {
    await startBackend('cpu');
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      expect(call).toThrow(InvalidArgumentError);
      expect(call).toThrow(new InvalidArgumentError(message));
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
