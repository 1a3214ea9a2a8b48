// This package, as built in dist/: its own network, planned for inference on backend wasm.
// --op-by-op times model.predict instead of the plan, to see what the plan is worth.
import * as tf from '@tensorflow/tfjs-core';
import { inference, models, useBackend } from '../../dist/index.js';
import '../../dist/wasm.js';
import { readFileSync } from 'node:fs';
import { readData } from './data.mjs';
import { fail, maxError, options, serve, skip, times } from './protocol.mjs';

const { data: folder, network, threads, work, 'op-by-op': opByOp } = options({ 'op-by-op': { type: 'boolean' } });
if (work === 'training') skip('there is no planned training step yet');
await useBackend('wasm', { log: () => {} });
const data = readData(folder, network);
const model = models.create(network, { inputShape: data.nhwc.slice(1), seed: 1 });

// The layers carry the names of the exported weights; one that differs on either side would leave a weight at its initial value.
const exported = data.weights();
const names = model.weights.map(({ originalName }) => originalName);
const unknown = [
  ...names.filter((name) => !exported.has(name)),
  ...[...exported.keys()].filter((n) => !names.includes(n)),
];
if (unknown.length > 0) fail(`Weights without a counterpart: ${unknown.join(', ')}`);
model.setWeights(
  names.map((name) => {
    const { values, shape } = exported.get(name);
    return tf.tensor(values, shape);
  }),
);

/** The function under test and on how many threads it runs. */
async function plan() {
  if (opByOp) {
    if (threads > 1) skip('op by op runs on one thread in Node');
    return { predict: (x) => model.predict(x), threads: 1 };
  }
  if (inference.optimizeForInference === undefined) {
    fail('dist has no inference.optimizeForInference: run npm run build, or time op by op with --op-by-op.');
  }
  const planned = await inference.optimizeForInference(model, threads === 1 ? {} : { threads });
  if (threads > 1 && planned.threads !== threads) {
    skip(`optimizeForInference runs on ${planned.threads ?? 'an unknown number of'} threads instead of ${threads}`);
  }
  return { predict: (x) => planned.predict(x), threads };
}

const started = performance.now();
const { predict, threads: used } = await plan();
const image = tf.tensor4d(data.input('nhwc'), data.nhwc);
const run = () =>
  tf.tidy(() => {
    const output = predict(image);
    return output.dataSync();
  });
const first = run();
const firstMs = Math.round(performance.now() - started);
const error = maxError(first, data.output());
await times(run, 3);
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
await serve(
  {
    name: opByOp ? 'pyconvunet, op by op' : 'pyconvunet',
    version,
    setting: `wasm, Node ${process.versions.node}, first result after ${firstMs} ms`,
    threads: used,
    maxError: error,
  },
  (count) => times(run, count),
);
