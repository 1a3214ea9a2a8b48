/** The heap of a training step of the whole PyConvU-Net, and the estimate that promises it. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it } from 'vitest';
import { create as createLoss } from '../../src/losses/index.js';
import { pyConvUNet, uNet } from '../../src/models/index.js';
import { Adam } from '../../src/optimizers/index.js';
import { trainingBytes } from '../../src/plan/index.js';
import { estimateMemory, requireMemory } from '../../src/training/index.js';
import { logitsModel } from '../../src/training/logitsModel.js';
import { penaltiesOf } from '../../src/training/penalties.js';
import { trainStep } from '../../src/training/step.js';
import { createStepper } from '../../src/training/stepper.js';
import { startBackend } from '../backends.js';

beforeAll(() => startBackend('wasm'));

/** Bytes of the heap of tfjs's wasm backend, which grows and never shrinks: after a step it is the step's peak. */
function heapBytes(): number {
  const backend = tf.backend() as tf.KernelBackend & { wasm?: { HEAPU8: Uint8Array } };
  if (backend.wasm === undefined) throw new Error('The current backend is not wasm.');
  return backend.wasm.HEAPU8.buffer.byteLength;
}

const wave = (size: number) => {
  const pixels = size * size;
  return {
    ...{ count: 1, height: size, width: size, channels: 1, names: ['wave'] },
    images: Float32Array.from({ length: pixels }, (_, i) => Math.sin(i)),
    masks: Uint8Array.from({ length: pixels }, (_, i) => (i >> 7) & 1),
  };
};

/** Memory grows by pages, and its first bytes stay free. */
const isExact = (actual: number | null, estimate: number): boolean =>
  actual !== null && actual >= estimate && actual - estimate < 65536 + 1024;

it('a planned step of one sample of 256x256 takes at most half a gigabyte, as estimated', async () => {
  const size = 256;
  const model = pyConvUNet({ inputShape: [size, size, 1], seed: 1 });
  const network = logitsModel(model);
  const shape = { height: size, width: size, channels: 1, batchSize: 1, threads: 1 };
  const estimate = trainingBytes(network, [1], [size, size, 1]);
  const optimizer = new Adam();
  const stepper = createStepper(network, createLoss('bce', { fromLogits: true }), optimizer, shape);
  expect(stepper.reason).toBeNull();
  expect(await stepper.step(wave(size))).toBeCloseTo(Math.LN2, 0);
  expect(stepper.bytes).toBeLessThan(5e8);
  expect(isExact(stepper.bytes, estimate)).toBe(true);
  // The tensors of tfjs stand beside it.
  expect(estimateMemory(model, shape)).toBeGreaterThan(estimate);
  optimizer.dispose();
  model.dispose();
});

it('the memory of a planned step is exact for every number of threads, and pieces take that of a smaller batch', () => {
  const size = { height: 48, width: 64 };
  const model = pyConvUNet({ widths: [16, 32, 64], inputShape: [null, null, 1], seed: 1, dropout: 0.3 });
  const network = logitsModel(model);
  const loss = createLoss('bce', { fromLogits: true });
  const optimizer = new Adam();
  const bytes = [1, 2, 5].map((threads) => {
    const shape = { ...size, channels: 1, batchSize: 4, microBatch: 3, threads };
    const stepper = createStepper(network, loss, optimizer, shape);
    const taken = stepper.bytes;
    stepper.dispose();
    const estimate = trainingBytes(network, [3, 1], [size.height, size.width, 1], { threads });
    expect(isExact(taken, estimate), `${threads} threads`).toBe(true);
    expect(estimateMemory(model, { ...size, batchSize: 6, microBatch: 3, threads })).toBe(
      estimateMemory(model, { ...size, batchSize: 3, threads }),
    );
    return estimate;
  });
  expect(new Set(bytes).size).toBe(3);
  expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
  optimizer.dispose();
  model.dispose();
});

it('the memory of a run is exact where the last batch of an epoch holds fewer images, in whatever order batches come', async () => {
  const size = { height: 48, width: 64 };
  const model = pyConvUNet({ widths: [16, 32], inputShape: [null, null, 1], seed: 1 });
  const network = logitsModel(model);
  const optimizer = new Adam();
  const run = { ...size, batchSize: 4, samples: 10 };
  const stepper = createStepper(network, createLoss('bce', { fromLogits: true }), optimizer, {
    ...{ ...run, channels: 1, threads: 1 },
  });
  const batchOf = (count: number) => ({
    ...{ ...size, count, channels: 1, names: [] },
    images: new Float32Array(count * size.height * size.width),
    masks: new Uint8Array(count * size.height * size.width),
  });
  const estimate = trainingBytes(network, [2, 4], [size.height, size.width, 1]);
  for (const count of [2, 4, 2]) {
    await stepper.step(batchOf(count));
    expect(isExact(stepper.bytes, estimate)).toBe(true);
  }
  const whole = estimateMemory(model, { ...size, batchSize: 4 });
  // What the smaller one needs beside the place that both share.
  expect(estimateMemory(model, run) - whole).toBe(estimate - trainingBytes(network, [4], [size.height, size.width, 1]));
  expect(estimateMemory(model, run)).toBeGreaterThan(whole);
  stepper.dispose();
  optimizer.dispose();
  model.dispose();
});

it('a batch that is far too large is estimated for a model of one size as for one of any', () => {
  const [height, width] = [256, 256];
  const sizes = [1, 40].map((batchSize) => ({ height, width, batchSize }));
  const estimates = [[height, width, 1] as const, [null, null, 1] as const].map((inputShape) => {
    const model = pyConvUNet({ widths: [64, 128, 256], inputShape: [...inputShape], seed: 1 });
    const bytes = sizes.map((size) => estimateMemory(model, size));
    expect(() => requireMemory(model, { height, width, batchSize: 40 })).toThrow(/40 images of 256x256 needs about/);
    model.dispose();
    return bytes;
  });
  expect(estimates[0]).toEqual(estimates[1]);
});

it('where not even one image fits, a size is named, also for a model of one size', () => {
  const [height, width] = [2048, 2048];
  const model = uNet({ widths: [128, 256], inputShape: [height, width, 1], seed: 1 });
  expect(() => requireMemory(model, { height, width, batchSize: 1 })).toThrow(
    /1 image of 2048x2048 needs about .+ A size of \d+x\d+ with a batch of 1 fits/,
  );
  model.dispose();
});

it('the memory of a step with penalties is exact', () => {
  const size = { height: 32, width: 32 };
  const x = tfl.input({ shape: [32, 32, 1] });
  // Sixty weights with factors of their own: more than a page can hide.
  const layers = Array.from({ length: 60 }, () =>
    tfl.layers.conv2d({
      filters: 2,
      kernelSize: 3,
      padding: 'same',
      kernelRegularizer: tfl.regularizers.l2({ l2: 1e-4 }),
    }),
  );
  const hidden = layers.reduce((map, layer) => layer.apply(map) as tfl.SymbolicTensor, x);
  const y = tfl.layers.conv2d({ filters: 1, kernelSize: 1, name: 'logits' }).apply(hidden) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: x, outputs: y });
  const penalties = penaltiesOf(model);
  expect(penalties.size).toBe(60);
  const optimizer = new Adam();
  const stepper = createStepper(model, createLoss('bce', { fromLogits: true }), optimizer, {
    ...{ ...size, channels: 1, batchSize: 1, threads: 1 },
  });
  const bytesOf = (options: object) => trainingBytes(model, [1], [32, 32, 1], options);
  expect(isExact(stepper.bytes, bytesOf({ penalties }))).toBe(true);
  expect(bytesOf({ penalties }) - bytesOf({})).toBe(60 * 64);
  const { height, width } = size;
  expect(estimateMemory(model, { height, width, batchSize: 1 })).toBeGreaterThanOrEqual(bytesOf({ penalties }));
  stepper.dispose();
  optimizer.dispose();
  model.dispose();
});

it('layer by layer a step of one sample of 256x256 takes at most 1.2e9 bytes', () => {
  const size = 256;
  const model = pyConvUNet({ inputShape: [size, size, 1], seed: 1 });
  const optimizer = new Adam();
  const loss = trainStep(logitsModel(model), createLoss('bce', { fromLogits: true }), optimizer, wave(size));
  expect(loss.dataSync()[0]).toBeCloseTo(Math.LN2, 0);
  tf.dispose(loss);
  expect(heapBytes()).toBeLessThan(1.2e9);
  optimizer.dispose();
  model.dispose();
}, 240_000);

it('refuses a step that wasm cannot hold, naming a batch or a size that fits', () => {
  const model = pyConvUNet({ inputShape: [null, null, 1], seed: 1 });
  expect(() => requireMemory(model, { height: 512, width: 512, batchSize: 12 })).toThrow(
    /^A training step of 12 images of 512x512 needs about \d+\.\d\d GiB, and backend wasm can hold 4\.00 GiB here\. A batch of (\d) fits \(\d\.\d\d GiB\), and so do micro-batches of \1, which keep the batch of 12 \(microBatch, or --micro-batch\)\.$/,
  );
  expect(() => requireMemory(model, { height: 2048, width: 2048, batchSize: 1 })).toThrow(
    /A size of \d+x\d+ with a batch of 1 fits \(\d\.\d\d GiB\)\.$/,
  );
  expect(() => requireMemory(model, { height: 256, width: 256, batchSize: 1 }, 3e8)).toThrow(/can hold 0\.28 GiB here/);
  expect(requireMemory(model, { height: 64, width: 64, batchSize: 5 })).toMatchObject({ limit: 2 ** 32 - 2 ** 16 });
  model.dispose();
}, 240_000);

it('holds the estimate against the limit with a margin of a tenth', () => {
  const model = pyConvUNet({ inputShape: [null, null, 1], seed: 1 });
  const size = { height: 256, width: 256, batchSize: 5 };
  const bytes = estimateMemory(model, size);
  expect(requireMemory(model, size, 1.11 * bytes)).toEqual({ bytes, limit: 1.11 * bytes });
  const smaller = estimateMemory(model, { ...size, batchSize: 4 });
  const gib = (value: number) => `${(value / 1024 ** 3).toFixed(2)} GiB`;
  expect(() => requireMemory(model, size, 1.05 * bytes)).toThrow(
    `needs about ${gib(1.1 * bytes)}, and backend wasm can hold ${gib(1.05 * bytes)} here. A batch of 4 fits (${gib(1.1 * smaller)}), and so do micro-batches of 4, which keep the batch of 5 (microBatch, or --micro-batch).`,
  );
  const pieces = { ...size, microBatch: 4 };
  const three = estimateMemory(model, { ...size, batchSize: 3 });
  expect(() => requireMemory(model, pieces, 1.05 * smaller)).toThrow(
    `A training step of 5 images of 256x256 in micro-batches of 4 needs about ${gib(1.1 * smaller)}, and backend wasm can hold ${gib(1.05 * smaller)} here. Micro-batches of 3 fit (${gib(1.1 * three)}).`,
  );
  const single = { ...size, batchSize: 1 };
  expect(() => requireMemory(model, single, 1.05 * estimateMemory(model, single))).toThrow(
    /A size of \d+x\d+ with a batch/,
  );
  model.dispose();
});
