/** A batch in pieces: the same step where the loss is a mean over images, the statistics of each piece, and runs that go on with the same bits. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import type { Batch, Sample } from '../../src/data/index.js';
import * as layers from '../../src/layers/index.js';
import { create as createLoss, type LossName } from '../../src/losses/index.js';
import { pyConvUNet } from '../../src/models/index.js';
import { Adam } from '../../src/optimizers/index.js';
import { type TrainingState, train } from '../../src/training/index.js';
import { type BatchSizes, pieceSizes } from '../../src/training/microBatches.js';
import { createStepper } from '../../src/training/stepper.js';
import { describeBackends } from '../backends.js';
import { fill, uniform } from '../models/formula.js';

const HEIGHT = 6;
const WIDTH = 10;
const BATCH = 5;
const PIXELS = HEIGHT * WIDTH;
const batch: Batch = {
  ...{ count: BATCH, height: HEIGHT, width: WIDTH, channels: 1, names: ['a', 'b', 'c', 'd', 'e'] },
  images: Float32Array.from(uniform('images', BATCH * PIXELS), (v, i) => v + Math.floor(i / PIXELS) / 2),
  masks: Uint8Array.from({ length: BATCH * PIXELS }, (_, i) => ((i >> 2) + Math.floor(i / PIXELS)) & 1),
};

function network(middle: tfl.layers.Layer): tfl.LayersModel {
  const image = tfl.input({ shape: [HEIGHT, WIDTH, 1] });
  const logits = tfl.layers.conv2d({ filters: 1, kernelSize: 1, name: 'logits' });
  const model = tfl.model({ inputs: image, outputs: logits.apply(middle.apply(image)) as tfl.SymbolicTensor });
  fill(model);
  return model;
}

const plain = () =>
  network(
    tfl.layers.conv2d({
      ...{ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', name: 'conv' },
      kernelRegularizer: tfl.regularizers.l2({ l2: 0.05 }),
    }),
  );

/** Weights and losses of some steps. */
async function steps(
  build: () => tfl.LayersModel,
  { count, microBatch, lossName = 'bce' }: { count: number; microBatch: number; lossName?: LossName },
): Promise<{ weights: number[][]; losses: number[] }> {
  const model = build();
  // A denominator that does not make much of gradients that are rounding.
  const optimizer = new Adam({ learningRate: 1e-2, epsilon: 1e-2 });
  const loss = createLoss(lossName, { fromLogits: true });
  const stepper = createStepper(model, loss, optimizer, { ...batch, batchSize: BATCH, threads: 1, microBatch });
  const losses: number[] = [];
  const before = tf.memory().numTensors;
  for (let step = 0; step < count; step++) losses.push(await stepper.step(batch));
  // The moments of Adam stay; layer by layer they are made in the first step.
  if (stepper.reason === null) expect(tf.memory().numTensors).toBe(before);
  else expect(tf.memory().numTensors).toBe(before + 2 * model.trainableWeights.length);
  stepper.flush();
  // webgpu reads asynchronously alone.
  const weights = await Promise.all(model.weights.map(async (weight) => [...(await weight.read().data())]));
  stepper.dispose();
  optimizer.dispose();
  model.dispose();
  return { weights, losses };
}

it.each<[string, BatchSizes, number[]]>([
  ['one batch', { batchSize: 5 }, [5]],
  ['a last one that is smaller', { batchSize: 5, samples: 12 }, [5, 2]],
  ['fewer images than a batch', { batchSize: 5, samples: 3 }, [3]],
  ['pieces that do not divide a batch', { batchSize: 5, microBatch: 3 }, [3, 2]],
  ['a smaller batch in pieces', { batchSize: 7, microBatch: 3, samples: 19 }, [3, 2, 1]],
  ['no remainder', { batchSize: 4, microBatch: 2, samples: 8 }, [2]],
])('%s: the numbers of images at once', (_, run, expected) => {
  expect(pieceSizes(run)).toEqual(expected);
});

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const square = (index: number): Sample => ({
  ...{ name: `square ${index}`, width: 8, height: 8, channels: 1 },
  image: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * (index + 1))),
  mask: Uint8Array.from({ length: 64 }, (_, i) => ((i >> 2) + index) & 1),
});
const data = { training: [0, 1, 2, 3, 4, 5, 6].map(square), validation: [square(7)] };
const unet = () =>
  pyConvUNet({ ...{ widths: [8, 16], kernelSizes: [3, 5], inputShape: [null, null, 1], seed: 1, dropout: 0.2 } });

async function bits(model: tfl.LayersModel): Promise<number[]> {
  const values = await Promise.all(model.weights.map((weight) => weight.read().data()));
  return values.flatMap((array) => [...new Int32Array(Float32Array.from(array).buffer)]);
}

describeBackends('micro-batches', (backend) => {
  it.each(['bce', 'focal'] as const)('with %s they take the steps of the whole batch', async (lossName) => {
    const whole = await steps(plain, { count: 4, microBatch: BATCH, lossName });
    for (const microBatch of [1, 2, 3, 4]) {
      const { weights, losses } = await steps(plain, { count: 4, microBatch, lossName });
      for (const [i, value] of whole.losses.entries()) expect(losses[i]).toBeCloseTo(value, 6);
      for (const [i, values] of whole.weights.entries()) {
        const size = Math.max(...values.map(Math.abs));
        for (const [j, value] of values.entries()) {
          expect(Math.abs((weights[i]?.[j] ?? Number.NaN) - value) / size, `weight ${i}`).toBeLessThan(5e-6);
        }
      }
    }
  });

  it('a loss over the whole batch is the mean over its pieces, each counting by its images', async () => {
    const model = plain();
    const dice = createLoss('dice', { fromLogits: true });
    const lossOf = async (from: number, to: number) => {
      const value = tf.tidy(() => {
        const size = [to - from, HEIGHT, WIDTH, 1] as [number, number, number, number];
        const x = tf.tensor4d(batch.images.slice(from * PIXELS, to * PIXELS), size);
        const yTrue = tf.tensor4d(Float32Array.from(batch.masks.slice(from * PIXELS, to * PIXELS)), size);
        return dice(yTrue, model.predict(x) as tf.Tensor);
      });
      const [number = Number.NaN] = await value.data();
      value.dispose();
      return number;
    };
    const { losses } = await steps(plain, { count: 1, microBatch: 3, lossName: 'dice' });
    const mean = (3 * (await lossOf(0, 3)) + 2 * (await lossOf(3, 5))) / 5;
    expect(Math.abs(mean - (await lossOf(0, 5)))).toBeGreaterThan(1e-4);
    expect(losses[0]).toBeCloseTo(mean, 6);
    model.dispose();
  });

  it('each piece is normalised by its own statistics, and each moves the moving ones', async () => {
    const momentum = 0.8;
    const epsilon = 1e-3;
    const build = () => network(layers.batchNorm({ name: 'norm', momentum, epsilon }));
    const initial = build();
    // Trained weights come first.
    const [gamma, beta, weight, bias, movingMean, movingVariance] = (await Promise.all(
      initial.weights.map(async (variable) => (await variable.read().data())[0] ?? Number.NaN),
    )) as [number, number, number, number, number, number];
    initial.dispose();
    const moving = { mean: movingMean, variance: movingVariance };
    let loss = 0;
    for (const [from, to] of [
      [0, 2],
      [2, 4],
      [4, 5],
    ] as const) {
      const values = [...batch.images.slice(from * PIXELS, to * PIXELS)];
      const n = values.length;
      const mean = values.reduce((sum, v) => sum + v, 0) / n;
      const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n;
      moving.mean = momentum * moving.mean + (1 - momentum) * mean;
      moving.variance = momentum * moving.variance + (1 - momentum) * variance * (n / (n - 1));
      for (const [i, v] of values.entries()) {
        const p = sigmoid(weight * (((v - mean) / Math.sqrt(variance + epsilon)) * gamma + beta) + bias);
        loss -= Math.log(batch.masks[from * PIXELS + i] === 1 ? p : 1 - p) / (BATCH * PIXELS);
      }
    }
    const { weights, losses } = await steps(build, { count: 1, microBatch: 2 });
    expect(losses[0]).toBeCloseTo(loss, 5);
    expect(weights[4]?.[0]).toBeCloseTo(moving.mean, 5);
    expect(weights[5]?.[0]).toBeCloseTo(moving.variance, 5);
  });

  it('a run goes on within an epoch with the same bits', async () => {
    const options = { epochs: 2, batchSize: 3, microBatch: 2, seed: 3 } as const;
    const whole = unet();
    const expected = await train(whole, data, options);
    const controller = new AbortController();
    const states: TrainingState[] = [];
    const stopped = unet();
    const interrupted = train(stopped, data, {
      ...options,
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done === 5) controller.abort();
      },
      onState: (state) => void states.push(state),
    });
    await expect(interrupted).rejects.toThrow('aborted');
    const state = states.at(-1);
    if (state === undefined) throw new Error('There is no state.');
    expect([state.epoch, state.step]).toEqual([1, 2]);
    const resumed = unet();
    expect(await train(resumed, data, { ...options, state })).toEqual(expected);
    expect(await bits(resumed)).toEqual(await bits(whole));
    if (backend === 'wasm') {
      const threaded = unet();
      const onThreads = { ...expected, execution: { ...expected.execution, threads: 2 } };
      expect(await train(threaded, data, { ...options, threads: 2 })).toEqual(onThreads);
      expect(await bits(threaded)).toEqual(await bits(whole));
      threaded.dispose();
    }
    for (const model of [whole, stopped, resumed]) model.dispose();
  });
});
