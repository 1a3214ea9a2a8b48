// Which algorithm is faster for which convolution: `npm run build`, then `node bench/algorithms.mjs`.
// Every convolution is planned alone, once with the algorithms that the plan chooses and once by direct sums (precision 'exact').
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { summarise } from '../dist/benchmark/summary.js';
import { inference, layers, useBackend } from '../dist/index.js';
import '../dist/wasm.js';
import { scriptOptions } from './lib/scriptOptions.mjs';
import { columns } from './lib/table.mjs';

const SIZES = [4, 8, 16, 32, 64, 128];
/** [kernel size, channels in, channels out, groups] of the networks' convolutions. */
const KERNELS = [
  [3, 32, 32, 1],
  [3, 128, 128, 1],
  [3, 512, 512, 1],
  [3, 64, 8, 1],
  [5, 64, 8, 4],
  [7, 64, 16, 8],
  [9, 64, 32, 16],
  [9, 512, 256, 16],
  [9, 16, 16, 16],
  [11, 16, 16, 4],
  [13, 16, 16, 1],
];
/** A size and a kernel that would take seconds by direct sums. */
const MOST_MACS = 3e9;

const { rounds, json } = scriptOptions('node bench/algorithms.mjs [--rounds N] [--json FILE]', {
  rounds: '7',
  json: undefined,
});

await useBackend('wasm', { log: () => {} });
const results = [];
for (const [kernelSize, inputs, filters, groups] of KERNELS) {
  for (const size of SIZES) {
    const macs = size * size * kernelSize ** 2 * (inputs / groups) * filters;
    if (macs > MOST_MACS) continue;
    const input = tfl.input({ shape: [size, size, inputs] });
    const layer = layers.groupConv2d({ filters, kernelSize, groups, padding: 'same' });
    const model = tfl.model({ inputs: input, outputs: layer.apply(input) });
    const image = tf.randomUniform([1, size, size, inputs], -1, 1, 'float32', 1);
    const planned = [];
    for (const precision of ['fast', 'exact']) planned.push(await inference.optimizeForInference(model, { precision }));
    const run = (plan) => tf.dispose(plan.predict(image));
    // So that a turn takes some milliseconds.
    const repeats = Math.max(1, Math.min(200, Math.round(1e8 / macs)));
    const turns = planned.map(() => []);
    for (const plan of planned) for (let i = 0; i < repeats; i++) run(plan);
    for (let round = 0; round < rounds; round++) {
      for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const started = performance.now();
        for (let j = 0; j < repeats; j++) run(planned[i]);
        turns[i].push([(performance.now() - started) / repeats]);
      }
    }
    const [chosen, direct] = turns.map((turn) => summarise(turn).ms);
    results.push({ size, kernelSize, inputs, filters, groups, macs, chosenMs: chosen, directMs: direct });
    for (const plan of planned) plan.dispose();
    tf.dispose(image);
    model.dispose();
  }
}
const machine = { processor: cpus()[0].model.trim(), node: process.version, load: Number(loadavg()[0].toFixed(1)) };
console.log(`one thread, with the copies in and out; ${machine.processor}, Node ${machine.node}, load ${machine.load}`);
console.log(
  columns([
    ['kernel/groups', 'in -> out', 'size', 'chosen ms', 'direct ms', 'direct / chosen', ''],
    ...results.map(({ size, kernelSize, inputs, filters, groups, chosenMs, directMs }) => [
      `${kernelSize}/${groups}`,
      `${inputs} -> ${filters}`,
      String(size),
      chosenMs.toPrecision(3),
      directMs.toPrecision(3),
      (directMs / chosenMs).toFixed(2),
      directMs < 0.95 * chosenMs ? 'direct is faster' : '',
    ]),
  ]),
);
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
