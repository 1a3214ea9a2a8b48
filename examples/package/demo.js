// A model with the wrapped layer trains, and is the same after saving and loading.
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { losses, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { ResidualPyConv } from './residualPyConv.js';

await useBackend('wasm');
const input = tfl.input({ shape: [16, 16, 8] });
const hidden = new ResidualPyConv({ kernelSizes: [3, 5] }).apply(input);
const output = tfl.layers.conv2d({ filters: 1, kernelSize: 1, activation: 'sigmoid' }).apply(hidden);
const model = tfl.model({ inputs: input, outputs: output });
model.compile({ optimizer: tf.train.adam(0.03), loss: losses.bceDice() });

const x = tf.randomUniform([4, 16, 16, 8], 0, 1, 'float32', 1);
const y = tf.cast(tf.greater(tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, 1]), 0.5), 'float32');
const { history } = await model.fit(x, y, { epochs: 40, verbose: 0 });

let saved;
await model.save(
  tf.io.withSaveHandler(async (artifacts) => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  }),
);
const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved));
const difference = tf.max(tf.abs(tf.sub(model.predict(x), loaded.predict(x)))).dataSync()[0];
console.log(
  `Loss ${history.loss[0].toFixed(3)} to ${history.loss.at(-1).toFixed(3)}; saved and loaded, it differs by ${difference}.`,
);
