/** The generated tasks are real ones: a narrow U-Net learns each of them within a minute (no threshold does: test/data). */
import { beforeAll, expect, it } from 'vitest';
import { phantom, phantomNames, prepareSamples, split } from '../../src/data/index.js';
import { uNet } from '../../src/models/index.js';
import { train } from '../../src/training/index.js';
import { startBackend } from '../backends.js';

beforeAll(() => startBackend('wasm'));

it.each(phantomNames)(
  'a narrow U-Net passes a Dice of 0.90 on phantom:%s',
  async (name) => {
    const { samples } = prepareSamples(phantom(name, { count: 50, size: 64, seed: 1 }));
    const { train: training, validation } = split(samples, { seed: 1 });
    const model = uNet({ widths: [8, 16, 32, 64], inputShape: [64, 64, 1], seed: 1 });
    const enough = new AbortController();
    let dice = 0;
    const options = {
      epochs: 30,
      learningRate: 3e-3,
      augment: 'none',
      seed: 1,
      signal: enough.signal,
      onEpoch: ({ valDice }: { valDice: number }) => {
        dice = Math.max(dice, valDice);
        if (dice > 0.9) enough.abort();
      },
    } as const;
    await train(model, { training, validation }, options).catch((error: unknown) => {
      if (!enough.signal.aborted) throw error;
    });
    expect(dice).toBeGreaterThan(0.9);
    model.dispose();
  },
  240_000,
);
