/** The heap of a training step of the whole PyConvU-Net, and the estimate that promises it. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { create as createLoss } from '../../src/losses/index.js';
import { pyConvUNet } from '../../src/models/index.js';
import { Adam } from '../../src/optimizers/index.js';
import { estimateMemory, requireMemory } from '../../src/training/index.js';
import { logitsModel } from '../../src/training/logitsModel.js';
import { trainStep } from '../../src/training/step.js';
import { startBackend } from '../backends.js';

beforeAll(() => startBackend('wasm'));

/** Bytes of the heap of tfjs's wasm backend, which grows and never shrinks: after a step it is the step's peak. */
function heapBytes(): number {
  const backend = tf.backend() as tf.KernelBackend & { wasm?: { HEAPU8: Uint8Array } };
  if (backend.wasm === undefined) throw new Error('The current backend is not wasm.');
  return backend.wasm.HEAPU8.buffer.byteLength;
}

it('a step of one sample of 256x256 takes at most 1.2e9 bytes, about as estimated', () => {
  const size = 256;
  const model = pyConvUNet({ inputShape: [size, size, 1], seed: 1 });
  const estimate = estimateMemory(model, { height: size, width: size, batchSize: 1 });
  const optimizer = new Adam();
  const pixels = size * size;
  const batch = {
    ...{ count: 1, height: size, width: size, channels: 1, names: ['wave'] },
    images: Float32Array.from({ length: pixels }, (_, i) => Math.sin(i)),
    masks: Uint8Array.from({ length: pixels }, (_, i) => (i >> 7) & 1),
  };
  const loss = trainStep(logitsModel(model), createLoss('bce', { fromLogits: true }), optimizer, batch);
  expect(loss.dataSync()[0]).toBeCloseTo(Math.LN2, 0);
  tf.dispose(loss);
  expect(heapBytes()).toBeLessThan(1.2e9);
  expect(heapBytes() / estimate).toBeGreaterThan(0.7);
  expect(heapBytes() / estimate).toBeLessThan(1.15);
  optimizer.dispose();
  model.dispose();
}, 240_000);

it('refuses a step that wasm cannot hold, naming a batch or a size that fits', () => {
  const model = pyConvUNet({ inputShape: [null, null, 1], seed: 1 });
  expect(() => requireMemory(model, { height: 512, width: 512, batchSize: 5 })).toThrow(
    /^A training step of 5 images of 512x512 needs about \d+\.\d\d GiB, and backend wasm can hold 4\.00 GiB here\. A batch of 1 fits \(\d\.\d\d GiB\)\.$/,
  );
  expect(() => requireMemory(model, { height: 2048, width: 2048, batchSize: 1 })).toThrow(
    /A size of \d+x\d+ with a batch of 1 fits \(\d\.\d\d GiB\)\.$/,
  );
  expect(() => requireMemory(model, { height: 256, width: 256, batchSize: 1 }, 5e8)).toThrow(/can hold 0\.47 GiB here/);
  expect(requireMemory(model, { height: 64, width: 64, batchSize: 5 })).toMatchObject({ limit: 2 ** 32 - 2 ** 16 });
  model.dispose();
});

it('holds the estimate against the limit with a margin of a tenth', () => {
  const model = pyConvUNet({ inputShape: [null, null, 1], seed: 1 });
  const size = { height: 256, width: 256, batchSize: 2 };
  const bytes = estimateMemory(model, size);
  expect(requireMemory(model, size, 1.11 * bytes)).toEqual({ bytes, limit: 1.11 * bytes });
  const smaller = estimateMemory(model, { ...size, batchSize: 1 });
  const gib = (value: number) => `${(value / 1024 ** 3).toFixed(2)} GiB`;
  expect(() => requireMemory(model, size, 1.05 * bytes)).toThrow(
    `needs about ${gib(1.1 * bytes)}, and backend wasm can hold ${gib(1.05 * bytes)} here. A batch of 1 fits (${gib(1.1 * smaller)}).`,
  );
  expect(() => requireMemory(model, { ...size, batchSize: 1 }, 1.05 * smaller)).toThrow(
    /A size of \d+x\d+ with a batch/,
  );
  model.dispose();
});
