/** One short training run, small enough for a software GPU: every backend takes the steps that another one takes. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { Sample } from '../../src/data/index.js';
import { pyConvUNet } from '../../src/models/index.js';
import { type TrainResult, train } from '../../src/training/index.js';
import { describeBackends, startBackend } from '../backends.js';

const SIZE = 8;

/** A bright square on a dark ground, in another place for each index. */
function square(index: number): Sample {
  const isInside = (i: number) => Math.floor(i / SIZE) >= index && i % SIZE < SIZE - index;
  return {
    name: `square ${index}`,
    width: SIZE,
    height: SIZE,
    channels: 1,
    image: Float32Array.from({ length: SIZE * SIZE }, (_, i) => (isInside(i) ? 0.8 : -0.8) + 0.2 * Math.sin(i + index)),
    mask: Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (isInside(i) ? 1 : 0)),
  };
}
const data = { training: [0, 1, 2, 3].map(square), validation: [4].map(square) };

/** Trains on the current backend. */
async function run(): Promise<TrainResult> {
  const model = pyConvUNet({
    widths: [8, 16],
    kernelSizes: [3, 5],
    inputShape: [null, null, 1],
    seed: 1,
    dropout: 0.2,
  });
  const before = tf.memory().numTensors;
  const result = await train(model, data, { epochs: 3, batchSize: 4, learningRate: 1e-2, seed: 3 });
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
  return result;
}

describeBackends('a short training run', (backend) => {
  const other = backend === 'cpu' ? 'wasm' : 'cpu';

  it(`lowers the loss by the steps that backend ${other} takes`, async () => {
    const actual = await run();
    await startBackend(other);
    const expected = await run();
    await startBackend(backend);
    const [first = Number.NaN, , last = Number.NaN] = actual.history.loss;
    expect(last).toBeLessThan(0.9 * first);
    for (const key of ['loss', 'valLoss'] as const) {
      for (const [epoch, value] of expected.history[key].entries()) {
        expect(Math.abs((actual.history[key][epoch] ?? Number.NaN) / value - 1), `${key} ${epoch}`).toBeLessThan(1e-4);
      }
    }
  }, 240_000);
});
