/** What a plan gives up is given up by its threads too: programs of other sizes, and the place that batches of all sizes share. */
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { ThreadPool } from '../../src/engine/threads/threadPool.js';
import * as models from '../../src/models/index.js';
import { InferencePlan, readWeights, TrainingPlan } from '../../src/plan/index.js';
import { findProvider, type KernelBinaries } from '../../src/runtime/providers.js';
import { startBackend } from '../backends.js';

let kernels: KernelBinaries;
beforeAll(async () => {
  await startBackend('wasm');
  const found = findProvider('wasm')?.kernels;
  if (found === undefined) throw new Error('No kernels.');
  kernels = found;
});

afterEach(() => vi.restoreAllMocks());

/** Counts the programs that the pools hold from now on. */
function countPrograms(): () => number {
  const define = vi.spyOn(ThreadPool.prototype, 'define');
  const drop = vi.spyOn(ThreadPool.prototype, 'drop');
  return () => define.mock.calls.length - new Set(drop.mock.calls.map(([id]) => id)).size;
}

const network = (head: 'logits' | 'probabilities') =>
  models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1, head });

it('predicts images of many sizes with the programs of four, and of none after other weights', async () => {
  const programs = countPrograms();
  const model = network('probabilities');
  const weights = await readWeights(model);
  const plan = new InferencePlan(model, weights, kernels, { precision: 'fast', threads: 2 });
  for (let size = 16; size <= 32; size += 2) plan.run(new Float32Array(size * size), [size, size, 1]);
  expect(programs()).toBe(4);
  plan.reload(weights);
  expect(programs()).toBe(0);
  plan.run(new Float32Array(256), [16, 16, 1]);
  expect(programs()).toBe(1);
  plan.dispose();
  model.dispose();
});

it('trains on batches of all sizes in one place: a larger one takes over that of smaller ones', async () => {
  const programs = countPrograms();
  const model = network('logits');
  const shape = [32, 32, 1] as const;
  const together = new TrainingPlan(model, kernels, { threads: 2 });
  together.prepare([3, 1], shape);
  // Forward and backward of each size, the start of a sum of gradients, and the update.
  expect(programs()).toBe(6);
  const late = new TrainingPlan(model, kernels, { threads: 2 });
  late.load(await readWeights(model));
  late.loadMoments(new Map(), new Map());
  const losses = [1, 3, 1].map((batch) => {
    const images = Float32Array.from({ length: batch * 1024 }, (_, i) => Math.sin(i));
    const [map] = late.forward(images, batch, shape);
    return map?.data[100];
  });
  expect(programs()).toBe(12);
  // The same image comes first in each batch, but is normalised with the others.
  expect(losses[2]).toBe(losses[0]);
  // The place of the small batch was free before the large one was made: holes are all that is more.
  const smallest = new TrainingPlan(model, kernels, { threads: 2 });
  smallest.prepare([1], shape);
  expect(late.bytes - together.bytes).toBeLessThan(smallest.bytes / 2);
  for (const plan of [together, late, smallest]) plan.dispose();
  model.dispose();
});
