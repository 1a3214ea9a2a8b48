/** Contenders whose threads cannot start take no part: their times would be those of one thread. */
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { CannotTakePart } from '../../src/benchmark/contender.js';
import { inferenceContender } from '../../src/benchmark/inferenceContenders.js';
import { trainingContender } from '../../src/benchmark/trainingContenders.js';
import * as worker from '../../src/engine/threads/startWorker.js';
import * as models from '../../src/models/index.js';
import { startBackend } from '../backends.js';

vi.mock('../../src/engine/threads/startWorker.js', async (original) => ({ ...(await original<typeof worker>()) }));

beforeAll(() => startBackend('wasm'));
afterEach(() => vi.restoreAllMocks());

const subject = {
  name: 'unet',
  build: async () => models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 }),
};
const name = { backend: 'wasm', way: 'planned', threads: 2 } as const;
const contenders = {
  prediction: () => inferenceContender(name, subject, [16, 16]),
  training: () => trainingContender(name, subject, { size: [16, 16], batchSize: 1 }),
};

it.each(['prediction', 'training'] as const)('of %s', async (work) => {
  const start = vi.spyOn(worker, 'startWorker');
  const well = contenders[work]();
  await well.build();
  await well.first();
  well.dispose();
  start.mockImplementation(() => {
    throw new Error('Workers are forbidden');
  });
  const contender = contenders[work]();
  await contender.build();
  await expect(contender.first()).rejects.toThrow(new CannotTakePart('Workers are forbidden'));
  contender.dispose();
});
