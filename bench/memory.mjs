// Memory of wasm for one training step, TensorFlow.js's heap and the plan's own together, against estimateMemory: `npm run build`, then
// `node bench/memory.mjs`. Neither ever shrinks, so what stands behind the first step is the peak, and every case has a process of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { models, useBackend } from '../dist/index.js';
import { estimateMemory, gibibytes, train } from '../dist/training.js';
import '../dist/wasm.js';
import { scriptOptions } from './lib/scriptOptions.mjs';

const USAGE = `node bench/memory.mjs [--work planned|layers] [network ...]
  --work   steps as a plan, or layer by layer (planned)
  network  of ${models.names.join(', ')}; all where none is named`;
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

/** A constraint that no plan knows and that changes nothing: steps of a model that has it are taken layer by layer. */
const UNKNOWN = { apply: (weight) => weight, getClassName: () => 'Unknown', getConfig: () => ({}) };

/** One step, then its memory and the estimate in bytes. */
async function measure(work, network, size, batchSize) {
  await useBackend('wasm', { log: () => {} });
  const model = models.create(network, { inputShape: [size, size, 1], seed: 1 });
  if (work === 'layers') model.trainableWeights[0].constraint = UNKNOWN;
  const sample = {
    ...{ name: 'wave', width: size, height: size, channels: 1 },
    image: Float32Array.from({ length: size * size }, (_, i) => Math.sin(i)),
    mask: Uint8Array.from({ length: size * size }, (_, i) => (i >> 5) & 1),
  };
  const controller = new AbortController();
  let memory = 0;
  const step = train(
    model,
    { training: Array.from({ length: batchSize }, () => sample), validation: [sample] },
    {
      ...{ epochs: 1, batchSize, augment: 'none', signal: controller.signal },
      // The step is what the estimate promises: validation, which has memory of its own, is left out.
      onProgress: () => {
        const heaps = [tf.backend().wasm.HEAPU8, ...memories].map(({ buffer }) => buffer.byteLength);
        memory = heaps.reduce((sum, bytes) => sum + bytes, 0);
        controller.abort();
      },
    },
  );
  await step.catch((error) => {
    if (!controller.signal.aborted) throw error;
  });
  return { memory, estimate: estimateMemory(model, { height: size, width: size, batchSize }) };
}

/** A process that was started by this script says so in its first argument. */
if (process.argv[2] === '--case') {
  const [work, network, size, batchSize] = process.argv.slice(3);
  console.log(JSON.stringify(await measure(work, network, Number(size), Number(batchSize))));
} else {
  const { work, names } = scriptOptions(
    USAGE,
    { work: 'planned' },
    { work: ['planned', 'layers'], names: models.names },
  );
  const row = (...cells) => console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 16 : 10)).join(' '));
  row('network', 'size', 'batch', 'memory', 'estimate', 'ratio');
  for (const network of names.length > 0 ? names : models.names) {
    for (const [size, batch] of sizes) {
      const script = fileURLToPath(import.meta.url);
      const args = [script, '--case', work, network, size, batch].map(String);
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) {
        console.error(stderr);
        process.exitCode = 1;
        continue;
      }
      const { memory, estimate } = JSON.parse(stdout);
      row(network, `${size}x${size}`, batch, gibibytes(memory), gibibytes(estimate), (memory / estimate).toFixed(2));
    }
  }
}
