/** The layer BatchNorm: PyTorch's moving statistics, gradients and inference (oracles/batchnorm.py), freezing, messages. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { type BatchNormArgs, batchNorm } from '../../src/layers/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { describeBackends } from '../backends.js';
import { relativeError } from '../naive.js';
import oracle from '../oracles/batchnorm.json' with { type: 'json' };

/** The formula of the oracle: its inputs are not stored. */
const wave = (shape: number[], phase: number, value = (v: number) => v): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      value(Math.fround(Math.cos(phase + 1.3 * i))),
    ),
    shape,
  );

interface Step {
  readonly y: number[];
  readonly dgamma?: number[];
  readonly dbeta?: number[];
  readonly movingMean: number[];
  readonly movingVariance: number[];
}

const tensorOf = (y: ReturnType<tfl.layers.Layer['apply']>): tf.Tensor => {
  if (!(y instanceof tf.Tensor)) throw new Error('The layer did not return one tensor.');
  return y;
};
const weightsByName = (layer: tfl.layers.Layer): Map<string, tfl.LayerVariable> =>
  new Map(layer.weights.map((weight) => [weight.originalName.split('/').at(-1) ?? '', weight]));
async function valuesOf(layer: tfl.layers.Layer, name: string): Promise<Float32Array> {
  const weight = weightsByName(layer).get(name);
  if (weight === undefined) throw new Error(`There is no weight ${name}.`);
  return (await weight.read().data()) as Float32Array;
}

describeBackends('BatchNorm', () => {
  it.each(oracle.cases)('moves its statistics and learns as PyTorch does: $name', async (c) => {
    const before = tf.memory().numTensors;
    const channels = [c.shape[c.shape.length - 1] ?? 0];
    const { scale = true, center = true } = c;
    const args: BatchNormArgs = {
      scale,
      center,
      ...(c.epsilon === undefined ? {} : { epsilon: c.epsilon }),
      ...(c.momentum === undefined ? {} : { momentum: c.momentum }),
      ...(c.activation === undefined ? {} : { activation: 'relu' }),
    };
    const layer = batchNorm(args);
    tf.tidy(() => {
      layer.apply(wave(c.shape, 0));
    });
    for (const [name, weight] of weightsByName(layer)) {
      tf.tidy(() => {
        if (name === 'gamma') weight.write(wave(channels, 0.5, (v) => 1 + 0.5 * v));
        if (name === 'beta') weight.write(wave(channels, 0.6, (v) => 0.5 * v));
      });
    }
    for (const [i, step] of (c.steps as Step[]).entries()) {
      const x = wave(c.shape, 0.7 + i, (v) => 3 * v + 2);
      const dy = wave(c.shape, 0.8 + i);
      let y: tf.Tensor | undefined;
      const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const loss = (): tf.Scalar => {
        y = tf.keep(tensorOf(layer.apply(x, { training: true })));
        return tf.sum(tf.mul(y, dy));
      };
      const { value, grads } =
        variables.length > 0 ? tf.variableGrads(loss, variables) : { value: tf.tidy(loss), grads: {} };
      expect(relativeError((await y?.data()) ?? [], step.y)).toBeLessThan(1e-5);
      expect(relativeError(await valuesOf(layer, 'moving_mean'), step.movingMean)).toBeLessThan(1e-5);
      expect(relativeError(await valuesOf(layer, 'moving_variance'), step.movingVariance)).toBeLessThan(1e-5);
      const expected = [step.dgamma, step.dbeta].filter((g) => g !== undefined);
      expect(variables).toHaveLength(expected.length);
      for (const [j, variable] of variables.entries()) {
        expect(relativeError((await grads[variable.name]?.data()) ?? [], expected[j] ?? [])).toBeLessThan(2e-5);
      }
      tf.dispose([x, dy, value, grads]);
      y?.dispose();
    }
    const x = wave(c.shape, 0.7, (v) => 3 * v + 2);
    const y = tensorOf(layer.apply(x));
    expect(relativeError(await y.data(), c.inference.y)).toBeLessThan(1e-5);
    tf.dispose([x, y]);
    layer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps 0.9 of its statistics in a step, as PyTorch and not as tfjs does', async () => {
    const layer = batchNorm();
    const x = tf.tensor4d([1, 3, 5, 7], [1, 2, 2, 1]);
    tensorOf(layer.apply(x, { training: true })).dispose();
    expect((await valuesOf(layer, 'moving_mean'))[0]).toBeCloseTo(0.1 * 4, 6);
    // Unbiased: (9 + 1 + 1 + 9) / 3.
    expect((await valuesOf(layer, 'moving_variance'))[0]).toBeCloseTo(0.9 + (0.1 * 20) / 3, 6);
    layer.dispose();
    x.dispose();
  });

  it('accepts one value a channel in inference and when frozen, not in training', () => {
    const layer = batchNorm({ name: 'mine' });
    const x = tf.ones<tf.Rank.R4>([1, 1, 1, 3]);
    tensorOf(layer.apply(x)).dispose();
    expect(() => tf.tidy(() => tensorOf(layer.apply(x, { training: true })))).toThrow(
      'Batch statistics need more than one value per channel. Received: shape [1, 1, 1, 3]. Use a larger image or batch.',
    );
    layer.trainable = false;
    tensorOf(layer.apply(x, { training: true })).dispose();
    layer.dispose();
    x.dispose();
  });

  it('passes gradients to the layers below when frozen', async () => {
    const below = tfl.layers.conv2d({ filters: 2, kernelSize: 1, name: 'below' });
    const input = tfl.input({ shape: [4, 4, 2] });
    const frozen = batchNorm({ trainable: false, activation: 'relu' });
    const outputs = frozen.apply(below.apply(input)) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs });
    const optimizer = tf.train.sgd(0.1);
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const x = tf.randomNormal<tf.Rank.R4>([2, 4, 4, 2], 0, 1, 'float32', 2);
    const target = tf.ones<tf.Rank.R4>([2, 4, 4, 2]);
    const statistics = await valuesOf(frozen, 'moving_mean');
    const losses = [Number(await model.trainOnBatch(x, target)), Number(await model.trainOnBatch(x, target))];
    expect(losses[1]).toBeLessThan(losses[0] ?? Number.NaN);
    expect(await valuesOf(frozen, 'moving_mean')).toEqual(statistics);
    tf.dispose([x, target]);
    model.dispose();
    optimizer.dispose();
  });
});

describe('messages of BatchNorm', () => {
  it.each([
    [
      'another activation',
      () => batchNorm({ activation: 'elu' as 'relu' }),
      "activation of BatchNorm must be 'linear' or 'relu'. Received: activation=\"elu\". Use an activation of its own behind it.",
    ],
    ['epsilon 0', () => batchNorm({ epsilon: 0 }), 'epsilon of BatchNorm must be a number > 0. Received: epsilon=0.'],
    [
      'momentum 1',
      () => batchNorm({ momentum: 1 }),
      'momentum of BatchNorm must be a number in [0, 1). Received: momentum=1.',
    ],
    [
      'unknown channels',
      () => batchNorm({ name: 'mine' }).build([null, 4, 4, null]),
      'Layer mine needs a known number of channels. Received: shape [null, 4, 4, null].',
    ],
    [
      'rank 5',
      () => batchNorm({ name: 'mine' }).build([null, 4, 4, 4, 2]),
      'Layer mine normalises tensors of rank 2, 3 or 4. Received: shape [null, 4, 4, 4, 2].',
    ],
    [
      'a word for a flag',
      () => batchNorm({ scale: 'no' as unknown as boolean }),
      'scale of BatchNorm must be true or false. Received: scale="no".',
    ],
    [
      'an axis',
      () => batchNorm({ axis: 1 } as object),
      "BatchNorm has no option 'axis'. Its options are activation, scale, center, epsilon, momentum, name, trainable, inputShape, batchInputShape, batchSize, dtype, inputDType, weights.",
    ],
  ])('refuse %s', (_, call, message) => {
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(new InvalidArgumentError(message));
  });
});
