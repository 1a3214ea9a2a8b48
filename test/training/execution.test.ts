/** What a training run says of how its steps were taken. */
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { phantom, prepareSamples } from '../../src/data/index.js';
import { uNet } from '../../src/models/index.js';
import { TrainingPlan, UnplannableError } from '../../src/plan/index.js';
import { type TrainingState, type TrainOptions, train } from '../../src/training/index.js';
import { startBackend } from '../backends.js';

const { samples } = prepareSamples(phantom('lung', { count: 3, size: 32 }));
const data = { training: samples.slice(0, 2), validation: samples.slice(2) };

async function executionOf(options: TrainOptions) {
  const model = uNet({ widths: [4, 8], inputShape: [32, 32, 1], seed: 1 });
  try {
    return (await train(model, data, { epochs: 1, ...options })).execution;
  } finally {
    model.dispose();
  }
}

afterEach(() => vi.restoreAllMocks());

describe('on backend wasm', () => {
  beforeEach(() => startBackend('wasm'));

  it.each([1, 2])('planned steps on %i threads', async (threads) => {
    expect(await executionOf({ threads })).toEqual({ planned: true, reason: null, threads, threadProblem: null });
  });

  it('a plan that lacks threads says why, and not how many there were', async () => {
    vi.spyOn(TrainingPlan.prototype, 'threadProblem', 'get').mockReturnValue('no more workers');
    const execution = { planned: true, reason: null, threads: null, threadProblem: 'no more workers' };
    expect(await executionOf({ threads: 2 })).toEqual(execution);
  });

  it('steps that cannot be planned are on the one thread of the backend, however many a plan would have had', async () => {
    vi.spyOn(TrainingPlan.prototype, 'prepare').mockImplementation(() => {
      throw new UnplannableError('layer x has no rule');
    });
    const execution = { planned: false, reason: 'layer x has no rule', threads: 1, threadProblem: null };
    expect(await executionOf({ threads: 2 })).toEqual(execution);
  });

  it('a state at its end leaves no step to take', async () => {
    let state: TrainingState | undefined;
    const onState = (each: TrainingState) => {
      state = each;
    };
    expect(await executionOf({ onState })).not.toBeNull();
    expect(await executionOf(state === undefined ? {} : { state })).toBeNull();
  });
});

it('other backends run the model themselves', async () => {
  await startBackend('cpu');
  expect(await executionOf({ threads: 2 })).toEqual({
    ...{ planned: false, reason: 'backend cpu runs the model itself', threads: 1, threadProblem: null },
  });
});
