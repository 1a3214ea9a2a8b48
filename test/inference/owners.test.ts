/** Who ends the threads of plans that nobody asked for by name: whoever made them, or the loss of their model. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Sample } from '../../src/data/index.js';
import { ThreadPool } from '../../src/engine/threads/threadPool.js';
import { OptimizedModel, optimizeForInference, predictProbability } from '../../src/inference/index.js';
import { releasePredictors } from '../../src/inference/predictor.js';
import { create as createLoss } from '../../src/losses/index.js';
import * as models from '../../src/models/index.js';
import { estimateStepSeconds, train, validate } from '../../src/training/index.js';
import { logitsModel } from '../../src/training/logitsModel.js';
import { startBackend } from '../backends.js';
import { noise } from './models.js';

const size = { width: 16, height: 16, channels: 1 };
const prepared = { ...size, image: noise(256, 1) };
const sample: Sample = { ...prepared, name: 'a', mask: Uint8Array.from({ length: 256 }, (_, i) => i % 2) };
const network = () => models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
const loss = createLoss('bce', { fromLogits: true });

beforeAll(() => startBackend('wasm'));

let pools: ThreadPool[] = [];
beforeEach(() => {
  pools = [];
  const start = ThreadPool.start;
  vi.spyOn(ThreadPool, 'start').mockImplementation((options) => {
    const pool = start(options);
    pools.push(pool);
    return pool;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const alive = (): number => pools.filter(({ isEnded }) => !isEnded).length;

it('validate ends those of its plan, also where it fails', async () => {
  const model = network();
  const logits = logitsModel(model);
  const scores = await validate(logits, [sample], { loss, batchSize: 1, threads: 2 });
  expect([pools.length, alive()]).toEqual([1, 0]);
  expect(scores.loss).toBe((await validate(logits, [sample], { loss, batchSize: 1 })).loss);
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(validate(logits, [sample], { loss, batchSize: 1, threads: 2, signal })).rejects.toThrow('enough');
  expect([pools.length, alive()]).toEqual([2, 0]);
  model.dispose();
});

it('estimateStepSeconds ends those of its plan', async () => {
  const model = network();
  expect(await estimateStepSeconds(model, { ...size, batchSize: 2, threads: 2 })).toBeGreaterThan(0);
  expect([pools.length, alive()]).toEqual([1, 0]);
  model.dispose();
});

it('train keeps one plan for its steps and one for its validations, and ends both', async () => {
  const model = network();
  const data = { training: [sample], validation: [sample] };
  const most: number[] = [];
  await train(model, data, { epochs: 3, threads: 2, onEpoch: () => void most.push(alive()) });
  expect(most).toEqual([2, 2, 2]);
  expect([pools.length, alive()]).toEqual([2, 0]);
  model.dispose();
});

it('train ends them where the weights cannot be brought back', async () => {
  const model = network();
  const data = { training: [sample], validation: [sample] };
  const run = train(model, data, {
    ...{ epochs: 1, threads: 2 },
    onProgress: () => {
      // A weight that has gone makes the flush fail.
      model.dispose();
    },
  });
  await expect(run).rejects.toThrow(/disposed/);
  expect(pools.length).toBeGreaterThan(0);
  expect(alive()).toBe(0);
});

it('predictions at the same time share one plan', async () => {
  const model = network();
  const create = vi.spyOn(OptimizedModel, 'create');
  const [first, ...others] = await Promise.all(
    [1, 2, 3].map(() => predictProbability(model, prepared, { threads: 2 })),
  );
  expect(create).toHaveBeenCalledTimes(1);
  expect(alive()).toBe(1);
  for (const other of others) expect(other).toEqual(first);
  releasePredictors(model);
  expect(alive()).toBe(0);
  model.dispose();
});

it('a plan that has lost a thread makes place for another', async () => {
  const model = network();
  const expected = await predictProbability(model, prepared, { threads: 2 });
  pools[0]?.stop();
  expect(await predictProbability(model, prepared, { threads: 2 })).toEqual(expected);
  expect([pools.length, alive()]).toEqual([2, 1]);
  releasePredictors(model);
  model.dispose();
});

it('those of predictProbability end with their model', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const predictOnce = async () => {
    const model = network();
    await predictProbability(model, prepared, { threads: 2 });
    model.dispose();
  };
  for (let i = 0; i < 3; i++) await predictOnce();
  expect(pools.length).toBe(3);
  // The engine gives no promise when; without an owner they would stay for ever.
  await vi.waitFor(
    () => {
      collect();
      expect(alive()).toBe(0);
    },
    { timeout: 10_000, interval: 20 },
  );
});

it('an optimized model says why fewer threads compute than were asked for', async () => {
  const model = network();
  const optimized = await optimizeForInference(model, { threads: 2 });
  expect([optimized.threads, optimized.threadProblem, optimized.isLost]).toEqual([2, null, false]);
  const [pool] = pools;
  if (pool === undefined) throw new Error('No threads were started.');
  pool.problem = 'it exited with code 1';
  expect(optimized.threadProblem).toBe('it exited with code 1');
  pool.stop();
  expect(optimized.isLost).toBe(true);
  optimized.dispose();
  vi.stubGlobal('SharedArrayBuffer', undefined);
  const alone = await optimizeForInference(model, { threads: 2 });
  expect([alone.threads, alone.threadProblem]).toEqual([1, 'memory cannot be shared among threads here']);
  alone.dispose();
  model.dispose();
});
