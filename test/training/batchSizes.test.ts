/** A run takes its memory once, for its largest batch, whichever batch comes first. */
import { beforeAll, expect, it, vi } from 'vitest';
import { uNet } from '../../src/models/index.js';
import { TrainingPlan } from '../../src/plan/index.js';
import { imagesOf } from '../../src/training/files/index.js';
import { type TrainingState, train } from '../../src/training/index.js';
import { startBackend } from '../backends.js';

beforeAll(() => startBackend('wasm'));

const sample = (name: string) => ({
  ...{ name, width: 8, height: 8, channels: 1 },
  image: new Float32Array(64),
  mask: Uint8Array.from({ length: 64 }, (_, i) => i % 2),
});
const data = { training: ['a', 'b', 'c'].map(sample), validation: [sample('d')] };
const network = () => uNet({ widths: [4, 8], inputShape: [8, 8, 1], seed: 1 });

it('also where it goes on with the smaller last batch of an epoch', async () => {
  const prepare = vi.spyOn(TrainingPlan.prototype, 'prepare');
  const model = network();
  const controller = new AbortController();
  const states: TrainingState[] = [];
  const stopped = train(model, data, {
    ...{ epochs: 2, batchSize: 2, signal: controller.signal },
    onProgress: () => controller.abort(),
    onState: (state) => void states.push(state),
  });
  await expect(stopped).rejects.toThrow('aborted');
  const state = states.at(-1);
  if (state === undefined) throw new Error('There is no state.');
  expect([state.epoch, state.step]).toEqual([0, 1]);
  prepare.mockClear();
  await train(model, data, { epochs: 2, batchSize: 2, state });
  expect(prepare.mock.calls[0]).toEqual([
    [2, 1],
    [8, 8, 1],
  ]);
  model.dispose();
  prepare.mockRestore();
});

it('counts the images that the transforms of the paper add', () => {
  expect(imagesOf({ train: data.training }, { augment: 'random' })).toBe(3);
  expect(imagesOf({ train: data.training }, { augment: 'expand' })).toBe(15);
});
