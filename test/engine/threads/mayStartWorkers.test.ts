/** Whether workers come here, and what is said where they do not. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { mayStartWorkers } from '../../../src/engine/threads/mayStartWorkers.js';
import * as worker from '../../../src/engine/threads/startWorker.js';

const base = Uint8Array.from(
  readFileSync(resolve(import.meta.dirname, '../../../src/kernels/wasm/binaries/base.wasm')),
);

vi.mock('../../../src/engine/threads/startWorker.js', async (original) => ({ ...(await original<typeof worker>()) }));

afterEach(() => vi.restoreAllMocks());

it('is null where one came', async () => {
  // On a busy machine it may take its time.
  expect(await mayStartWorkers({ base, relaxed: base }, 60_000)).toBeNull();
});

it('is what the runtime says where it starts none', async () => {
  vi.spyOn(worker, 'startWorker').mockImplementation(() => {
    throw new Error('Workers are forbidden');
  });
  expect(await mayStartWorkers({ base, relaxed: base })).toBe('Workers are forbidden');
});

it('is what the runtime says where one ends', async () => {
  vi.spyOn(worker, 'startWorker').mockImplementation((onEnd) => {
    setTimeout(() => onEnd('it exited with code 1'), 5);
    return { post: () => {}, terminate: () => {} };
  });
  expect(await mayStartWorkers({ base, relaxed: base }, 60_000)).toBe('it exited with code 1');
});

it('is said where none comes for so long', async () => {
  const terminate = vi.fn();
  vi.spyOn(worker, 'startWorker').mockImplementation(() => ({ post: () => {}, terminate }));
  expect(await mayStartWorkers({ base, relaxed: base }, 20)).toBe('none came within 0.02 s');
  expect(terminate).toHaveBeenCalledTimes(1);
});
