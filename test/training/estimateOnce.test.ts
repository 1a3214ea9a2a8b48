/** A size that turns out to have no plan is laid out once, however often its memory is asked for. */
import { beforeAll, expect, it, vi } from 'vitest';
import { uNet } from '../../src/models/index.js';
import * as plan from '../../src/plan/index.js';
import { estimateMemory, requireMemory } from '../../src/training/index.js';
import { startBackend } from '../backends.js';

vi.mock('../../src/plan/index.js', async (original) => {
  const real = await original<typeof plan>();
  return {
    ...real,
    trainingBytes: vi.fn(() => {
      throw new real.UnplannableError('no plan');
    }),
  };
});

beforeAll(() => startBackend('wasm'));

it('is laid out once', () => {
  const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
  const size = { height: 64, width: 64, batchSize: 64 };
  const limit = 1.05 * estimateMemory(model, size);
  const layOut = vi.mocked(plan.trainingBytes);
  layOut.mockClear();
  expect(() => requireMemory(model, size, limit)).toThrow(/A batch of \d+ fits/);
  const asked = layOut.mock.calls.map(([, batches, shape]) => `${batches} of ${shape}`);
  expect(asked.length).toBeGreaterThan(2);
  expect(new Set(asked).size).toBe(asked.length);
  model.dispose();
});
