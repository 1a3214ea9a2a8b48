// This package's network as built in dist/, on backend wasm, with the exported weights.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { models, useBackend } from '../../dist/index.js';
import '../../dist/wasm.js';
import { fail } from './protocol.mjs';

/** Version of the package. */
export const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/**
 * @param {string} network
 * @param {ReturnType<typeof import('./data.mjs').readData>} data
 */
export async function ownModel(network, data) {
  await useBackend('wasm', { log: () => {} });
  const model = models.create(network, { inputShape: data.nhwc.slice(1), seed: 1 });
  // The layers carry the names of the exported weights; one that differs would keep its initial values unseen.
  const exported = data.weights();
  const names = model.weights.map(({ originalName }) => originalName);
  const lonely = [
    ...names.filter((name) => !exported.has(name)),
    ...[...exported.keys()].filter((name) => !names.includes(name)),
  ];
  if (lonely.length > 0) fail(`Weights without a counterpart: ${lonely.join(', ')}`);
  const tensors = names.map((name) => {
    const { values, shape } = exported.get(name);
    return tf.tensor(values, shape);
  });
  model.setWeights(tensors);
  tf.dispose(tensors);
  return model;
}
