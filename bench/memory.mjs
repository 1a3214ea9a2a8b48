// Memory of wasm for one training step, TensorFlow.js's heap and the plan's own together, against estimateMemory: `npm run build`, then
// `node bench/memory.mjs [network ...]`. Neither ever shrinks, so what stands at the end is the peak, and every case has a process of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { models, useBackend } from '../dist/index.js';
import { estimateMemory, gibibytes, train } from '../dist/training.js';
import '../dist/wasm.js';

const USAGE = `node bench/memory.mjs [network ...]
  networks: ${models.names.join(', ')}; all where none is named`;
const networks = process.argv[2] === '--case' || process.argv.length === 2 ? models.names : process.argv.slice(2);
/** [size, batch]: whether an estimate holds depends on both, as maps grow with them and weights do not. */
const sizes = [
  [64, 1],
  [64, 4],
  [128, 2],
  [256, 1],
  [256, 2],
];

/** Every memory that is made from here on; TensorFlow.js's own is part of its module and not among them. */
const memories = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor) {
    super(descriptor);
    memories.push(this);
  }
};

/** One step, then its memory and the estimate in bytes. */
async function measure(network, size, batchSize) {
  await useBackend('wasm', { log: () => {} });
  const model = models.create(network, { inputShape: [size, size, 1], seed: 1 });
  const sample = {
    ...{ name: 'wave', width: size, height: size, channels: 1 },
    image: Float32Array.from({ length: size * size }, (_, i) => Math.sin(i)),
    mask: Uint8Array.from({ length: size * size }, (_, i) => (i >> 5) & 1),
  };
  const controller = new AbortController();
  let heap = 0;
  const step = train(
    model,
    { training: Array.from({ length: batchSize }, () => sample), validation: [sample] },
    {
      ...{ epochs: 1, batchSize, augment: 'none', signal: controller.signal },
      // The step is what the estimate promises: validation, which has memory of its own, is left out.
      onProgress: () => {
        const heaps = [tf.backend().wasm.HEAPU8, ...memories].map(({ buffer }) => buffer.byteLength);
        heap = heaps.reduce((sum, bytes) => sum + bytes, 0);
        controller.abort();
      },
    },
  );
  await step.catch((error) => {
    if (!controller.signal.aborted) throw error;
  });
  return { heap, estimate: estimateMemory(model, { height: size, width: size, batchSize }) };
}

const unknown = networks.filter((name) => !models.names.includes(name));
if (unknown.length > 0) {
  const asked = unknown.includes('--help');
  (asked ? console.log : console.error)(asked ? USAGE : `There is no network ${unknown.join(', ')}.\n${USAGE}`);
  process.exitCode = asked ? 0 : 2;
} else if (process.argv[2] === '--case') {
  const [network, size, batchSize] = process.argv.slice(3);
  console.log(JSON.stringify(await measure(network, Number(size), Number(batchSize))));
} else {
  const row = (...cells) => console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 16 : 10)).join(' '));
  row('network', 'size', 'batch', 'heap', 'estimate', 'ratio');
  for (const network of networks) {
    for (const [size, batch] of sizes) {
      const script = fileURLToPath(import.meta.url);
      const args = [script, '--case', network, size, batch].map(String);
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) {
        console.error(stderr);
        process.exitCode = 1;
        continue;
      }
      const { heap, estimate } = JSON.parse(stdout);
      row(network, `${size}x${size}`, batch, gibibytes(heap), gibibytes(estimate), (heap / estimate).toFixed(2));
    }
  }
}
