/** What every Keras-style layer promises, checked on each of ours: configuration, shapes, weights, training, no leaks. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { describeBackends } from '../backends.js';
import { relativeError } from '../naive.js';
import { CASES, modelOf } from './layerCases.js';

const image = (channels: number, seed = 1) => tf.randomNormal<tf.Rank.R4>([2, 7, 6, channels], 0, 1, 'float32', seed);

const LEGAL_NAME = /^[A-Za-z0-9.][-A-Za-z0-9_.\\/]*$/;

function only(output: tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[]): tf.Tensor {
  if (!(output instanceof tf.Tensor)) throw new Error('The layer did not return one tensor.');
  return output;
}

describeBackends('the layer contract', () => {
  it.each(CASES)('$title: a layer made of its own configuration is the same layer', async ({ make, channels }) => {
    const before = tf.memory().numTensors;
    const layer = make({ name: 'one', trainable: false });
    const config: tf.serialization.ConfigDict = JSON.parse(JSON.stringify(layer.getConfig()));
    const cls = layer.constructor as tf.serialization.SerializableConstructor<tfl.layers.Layer> & {
      fromConfig: typeof tf.serialization.Serializable.fromConfig;
    };
    const copy = cls.fromConfig(cls, config);
    expect(copy.getConfig()).toEqual(layer.getConfig());
    expect(copy.getClassName()).toBe(layer.getClassName());
    expect(copy.name).toBe('one');
    expect(copy.trainable).toBe(false);
    const x = image(channels);
    only(layer.apply(x)).dispose();
    // Constraints hold for weights that are set, not for initial ones.
    tf.tidy(() => layer.setWeights(layer.getWeights().map((weight) => weight.clone())));
    const y = only(layer.apply(x));
    only(copy.apply(x)).dispose();
    copy.setWeights(layer.getWeights());
    const z = only(copy.apply(x));
    expect(relativeError(await z.data(), await y.data())).toBeLessThan(1e-5);
    layer.dispose();
    copy.dispose();
    tf.dispose([x, y, z]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(CASES)('$title: known and free sizes get the shape that the layer returns', ({ make, channels }) => {
    const layer = make();
    const shape = layer.computeOutputShape([null, null, null, channels]) as tfl.Shape;
    expect(shape.slice(0, 3)).toEqual([null, null, null]);
    for (const [height, width] of [
      [7, 6],
      [12, 5],
      [5, 9],
    ] as const) {
      const x = tf.ones<tf.Rank.R4>([1, height, width, channels]);
      const y = only(layer.apply(x));
      expect(layer.computeOutputShape([1, height, width, channels])).toEqual(y.shape);
      expect(layer.computeOutputShape([null, null, width, channels])).toEqual([null, null, ...y.shape.slice(2)]);
      expect(layer.computeOutputShape([[4, height, null, channels]])).toEqual([4, y.shape[1], null, y.shape[3]]);
      expect(shape[3]).toBe(y.shape[3]);
      tf.dispose([x, y]);
    }
    layer.dispose();
  });

  it.each(CASES)('$title: has exactly its weights, by name and shape', ({ make, channels, weights, trainable }) => {
    const layer = make({ name: 'mine' });
    modelOf(layer, channels);
    expect(layer.weights.map((weight) => [weight.originalName, weight.shape])).toEqual(
      weights.map(([name, shape]) => [`mine/${name}`, shape]),
    );
    expect(layer.trainableWeights).toHaveLength(trainable);
    const size = weights.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b), 0);
    expect(layer.countParams()).toBe(size);
    layer.trainable = false;
    expect(layer.trainableWeights).toHaveLength(0);
    expect(layer.nonTrainableWeights).toHaveLength(weights.length);
    layer.dispose();
  });

  it.each(CASES)('$title: default names are legal for tensors, and no two alike', ({ make }) => {
    const [one, two] = [make(), make()];
    expect(one.name).toMatch(LEGAL_NAME);
    expect(two.name).not.toBe(one.name);
    expect(one.getClassName()).toMatch(/^pyconvunet>/);
  });

  it.each(CASES)(
    '$title: trains in a model, every trainable weight, and leaves nothing behind',
    async (c) => {
      const start = tf.memory().numTensors;
      const layer = c.make();
      const model = modelOf(layer, c.channels);
      // Kernels from seeds: the initial ones differ from run to run.
      tf.tidy(() => {
        const seeded = (w: tf.Tensor, i: number) => tf.randomNormal(w.shape, 0, 0.2, 'float32', i + 1);
        model.setWeights(model.getWeights().map((w, i) => (w.rank > 1 ? seeded(w, i) : w)));
      });
      const optimizer = tf.train.sgd(0.05);
      model.compile({ optimizer, loss: 'meanSquaredError' });
      const x = image(c.channels);
      const target = tf.tidy(() => tf.add(tf.mul(tf.onesLike(model.predict(x) as tf.Tensor), 0.4), 0.3));
      const values = () => Promise.all(layer.trainableWeights.map(async (w) => Array.from(await w.read().data())));
      const initial = await values();
      const losses: number[] = [];
      const before = tf.memory().numTensors;
      for (let step = 0; step < 3; step++) {
        const loss = await model.trainOnBatch(x, target);
        losses.push(typeof loss === 'number' ? loss : Number.NaN);
      }
      expect(tf.memory().numTensors).toBe(before);
      expect(losses[2]).toBeLessThan(losses[0] ?? Number.NaN);
      for (const [i, weight] of (await values()).entries()) expect(weight).not.toEqual(initial[i]);
      const history = await model.fit(x, target, { epochs: 2, verbose: 0 });
      expect(history.history.loss).toHaveLength(2);
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose([x, target]);
      model.dispose();
      optimizer.dispose();
      expect(tf.memory().numTensors).toBe(start);
    },
    240_000,
  );

  it.each(CASES)('$title: a frozen layer keeps its weights in training', async ({ make, channels }) => {
    const layer = make({ trainable: false });
    const model = modelOf(layer, channels);
    const x = image(channels);
    const weights = await Promise.all(layer.getWeights().map((w) => w.data()));
    const inference = only(layer.apply(x));
    const training = only(layer.apply(x, { training: true }));
    expect(await training.data()).toEqual(await inference.data());
    expect(await Promise.all(layer.getWeights().map((w) => w.data()))).toEqual(weights);
    tf.dispose([x, inference, training]);
    model.dispose();
  });

  it.each(CASES)('$title: takes one tensor, alone or in a list', ({ make, channels }) => {
    const layer = make({ name: 'mine' });
    const x = image(channels);
    const [alone, listed] = [only(layer.apply(x)), only(layer.apply([x]))];
    expect(listed.shape).toEqual(alone.shape);
    expect(() => layer.call([x, x], {})).toThrow('Layer mine takes one tensor. Received: 2.');
    expect(() => layer.computeOutputShape([x.shape, x.shape])).toThrow(
      'Layer mine takes one tensor. Received: 2 shapes.',
    );
    layer.dispose();
    tf.dispose([x, alone, listed]);
  });
});
