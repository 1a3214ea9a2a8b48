// The contract of a well-behaved layer: shapes, weights, training, freezing, saving. Run by `npm test`.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { losses, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { PyConvBlock } from './pyConvBlock.js';

before(() => useBackend('wasm', { log: () => {} }));

const options = { filters: 8, kernelSizes: [3, 5], groups: [1, 2], split: [1 / 2, 1 / 2] };

/** Two blocks and a sigmoid. */
function network() {
  const input = tfl.input({ shape: [16, 16, 4] });
  const hidden = new PyConvBlock({ ...options, name: 'first' }).apply(input);
  const output = tfl.layers
    .conv2d({ filters: 1, kernelSize: 1, activation: 'sigmoid' })
    .apply(new PyConvBlock({ ...options, strides: 2, name: 'second' }).apply(hidden));
  return tfl.model({ inputs: input, outputs: output });
}

/** Images, and where their channels are bright on average; at half the size, as the second block has stride 2. */
function data() {
  const x = tf.randomUniform([4, 16, 16, 4], -1, 1, 'float32', 1);
  const y = tf.cast(tf.greater(tf.avgPool(tf.mean(x, 3, true), 2, 2, 'same'), 0), 'float32');
  return { x, y };
}

const numbers = (tensor) => Array.from(tensor.dataSync());

test('it knows its output shape where height and width are free', () => {
  const block = new PyConvBlock({ ...options, strides: 2 });
  assert.deepEqual(block.apply(tfl.input({ shape: [null, null, 4] })).shape, [null, null, null, 8]);
});

test("its weights are those of its layers, under the block's name", () => {
  const [, first] = network().layers;
  assert.deepEqual(
    first.weights.map(({ originalName }) => originalName),
    ['level1/kernel', 'level2/kernel', 'gamma', 'beta', 'moving_mean', 'moving_variance'].map(
      (name) => `first/${name}`,
    ),
  );
  assert.equal(first.trainableWeights.length, 4);
  // [3, 3, 4, 4] and [5, 5, 4 / 2, 4], then four numbers for each of 8 channels.
  assert.equal(first.countParams(), 144 + 200 + 32);
});

test('it learns, and a frozen block stays as it is', async () => {
  const model = network();
  const [, first, second] = model.layers;
  second.trainable = false;
  model.compile({ optimizer: tf.train.adam(0.01), loss: losses.bceDice() });
  const before = [first, second].map((block) => block.getWeights().map(numbers));
  const { x, y } = data();
  const { history } = await model.fit(x, y, { epochs: 40, verbose: 0 });
  const after = [first, second].map((block) => block.getWeights().map(numbers));
  assert.ok(
    history.loss.at(-1) < 0.9 * history.loss[0],
    `The loss went from ${history.loss[0]} to ${history.loss.at(-1)}`,
  );
  for (const [i, weight] of after[0].entries()) assert.notDeepEqual(weight, before[0][i]);
  assert.deepEqual(after[1], before[1]);
});

test('trained, saved and loaded, it predicts the same', async () => {
  const model = network();
  model.compile({ optimizer: 'sgd', loss: losses.bceDice() });
  const { x, y } = data();
  await model.fit(x, y, { verbose: 0 }); // moves the statistics of batch normalisation, which have to be saved too
  let artifacts;
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
  assert.ok(loaded.getLayer('first') instanceof PyConvBlock);
  assert.deepEqual(numbers(loaded.predict(x)), numbers(model.predict(x)));
});

test('a disposed model leaves no tensor behind', () => {
  const { numTensors } = tf.memory();
  network().dispose();
  assert.equal(tf.memory().numTensors, numTensors);
});
