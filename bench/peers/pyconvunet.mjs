// This package: its own network planned for inference on backend wasm.
// --op-by-op times model.predict instead of the plan, to see what the plan is worth.
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError, inference } from '../../dist/index.js';
import { readData } from './data.mjs';
import { ownModel, version } from './own_model.mjs';
import { fail, maxError, options, serve, skip, times } from './protocol.mjs';
import { valuesOf } from './tfjs.mjs';

const { data: folder, network, threads, 'op-by-op': opByOp } = options({ 'op-by-op': { type: 'boolean' } });
const data = readData(folder, network);
const model = await ownModel(network, data);

/** The function under test, and what it computes with. */
async function predictor() {
  if (opByOp) {
    if (threads > 1) skip('op by op runs on one thread in Node');
    return { predict: (x) => model.predict(x), kernels: 'wasm' };
  }
  if (inference.optimizeForInference === undefined) {
    fail('dist has no inference.optimizeForInference: run npm run build, or time op by op with --op-by-op.');
  }
  const planned = await inference
    .optimizeForInference(model, threads === 1 ? {} : { threads })
    .catch((error) => (threads > 1 && error instanceof InvalidArgumentError ? skip(error.message) : fail(error.stack)));
  if (planned.reason !== null) fail(`The model is not planned: ${planned.reason}.`);
  const used = planned.threads ?? 1;
  if (used !== threads) skip(`optimizeForInference runs on ${used} threads instead of ${threads}`);
  const kernels = planned.simd === 'relaxed' ? 'wasm with relaxed SIMD' : 'wasm with SIMD128';
  return { predict: (x) => planned.predict(x), kernels };
}

const image = tf.tensor4d(data.input('nhwc'), data.nhwc);
const started = performance.now();
const { predict, kernels } = await predictor();
const run = () => valuesOf(() => predict(image));
const first = run();
const firstMs = Math.round(performance.now() - started);
const error = maxError(first, data.output());
await times(run, 3);
await serve(
  {
    name: opByOp ? 'pyconvunet, op by op' : 'pyconvunet',
    version,
    setting: `${kernels}, Node ${process.versions.node}, first result after ${firstMs} ms`,
    threads,
    maxError: error,
  },
  (count) => times(run, count),
);
