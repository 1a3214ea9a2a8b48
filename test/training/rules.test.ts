/** What layers ask of a planned step beside their own sums: penalties, constraints, frozen weights, statistics of batches. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Batch } from '../../src/data/index.js';
import * as layers from '../../src/layers/index.js';
import { create as createLoss } from '../../src/losses/index.js';
import { Adam } from '../../src/optimizers/index.js';
import { captureState, restoreState } from '../../src/training/state.js';
import { trainStep } from '../../src/training/step.js';
import { createStepper } from '../../src/training/stepper.js';
import { startBackend } from '../backends.js';
import { fill, uniform } from '../models/formula.js';

beforeAll(() => startBackend('wasm'));

const HEIGHT = 9;
const WIDTH = 14;
const BATCH = 3;
const PIXELS = HEIGHT * WIDTH;
const STEPS = 3;
const loss = createLoss('bce', { fromLogits: true });
const batch: Batch = {
  ...{ count: BATCH, height: HEIGHT, width: WIDTH, channels: 2, names: ['a', 'b', 'c'] },
  images: Float32Array.from(uniform('images', BATCH * PIXELS * 2)),
  masks: Uint8Array.from({ length: BATCH * PIXELS }, (_, i) => (i >> 2) & 1),
};
const shape = { batchSize: BATCH, height: HEIGHT, width: WIDTH, channels: 2, threads: 1 };

type Layer = tfl.layers.Layer;

/** The layers one behind the other, between the image and the logits. */
function network(middle: readonly Layer[]): tfl.LayersModel {
  const image = tfl.input({ shape: [HEIGHT, WIDTH, 2] });
  const last = tfl.layers.conv2d({ filters: 1, kernelSize: 3, padding: 'same', name: 'logits' });
  const logits = [...middle, last].reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, image);
  const model = tfl.model({ inputs: image, outputs: logits });
  fill(model);
  return model;
}

const weightsOf = (model: tfl.LayersModel): Float32Array[] =>
  model.weights.map((weight) => Float32Array.from(weight.read().dataSync()));

/** A denominator that does not make much of gradients that are rounding. */
const adam = () => new Adam({ learningRate: 1e-2, epsilon: 1e-2 });

/** The weights after some steps of tfjs, layer by layer and with one order of sums. */
async function layerByLayer(middle: () => readonly Layer[]): Promise<Float32Array[]> {
  await startBackend('cpu');
  const model = network(middle());
  const optimizer = adam();
  for (let step = 0; step < STEPS; step++) tf.dispose(trainStep(model, loss, optimizer, batch));
  const weights = weightsOf(model);
  optimizer.dispose();
  model.dispose();
  await startBackend('wasm');
  return weights;
}

async function planned(middle: () => readonly Layer[]): Promise<Float32Array[]> {
  const model = network(middle());
  const optimizer = adam();
  const stepper = createStepper(model, loss, optimizer, shape);
  expect(stepper.reason).toBeNull();
  for (let step = 0; step < STEPS; step++) await stepper.step(batch);
  stepper.flush();
  stepper.dispose();
  const weights = weightsOf(model);
  optimizer.dispose();
  model.dispose();
  return weights;
}

const conv = (options: Partial<Parameters<typeof tfl.layers.conv2d>[0]> = {}): Layer =>
  tfl.layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', name: 'conv', ...options });
const frozen = (layer: Layer): Layer => {
  layer.trainable = false;
  return layer;
};
const { l1l2 } = tfl.regularizers;
const { maxNorm, minMaxNorm, nonNeg, unitNorm } = tfl.constraints;

const cases: [string, () => readonly Layer[]][] = [
  ['penalties', () => [conv({ kernelRegularizer: l1l2({ l1: 1e-2, l2: 2e-2 }), biasRegularizer: l1l2({ l2: 0.1 }) })]],
  [
    'penalties of a normalisation',
    () => [
      tfl.layers.batchNormalization({
        name: 'norm',
        gammaRegularizer: l1l2({ l1: 0.05 }),
        betaRegularizer: l1l2({ l2: 0.1 }),
      }),
      conv(),
    ],
  ],
  ['no negative factors', () => [conv({ kernelConstraint: nonNeg() })]],
  ['factors of unit norm over the rows of a filter', () => [conv({ kernelConstraint: unitNorm({ axis: 0 }) })]],
  ['factors of a norm of at most 0.3', () => [conv({ kernelConstraint: maxNorm({ maxValue: 0.3, axis: 2 }) })]],
  [
    'factors of a norm that is drawn into a range',
    () => [conv({ kernelConstraint: minMaxNorm({ minValue: 0.4, maxValue: 0.6, rate: 0.7, axis: -1 }) })],
  ],
  [
    'a bias and a normalisation with constraints',
    () => [
      conv({ biasConstraint: maxNorm({ maxValue: 0.1, axis: 0 }) }),
      tfl.layers.batchNormalization({ name: 'norm', gammaConstraint: nonNeg(), betaConstraint: unitNorm({ axis: 0 }) }),
    ],
  ],
  ['a frozen convolution', () => [conv(), frozen(conv({ name: 'frozen' })), conv({ name: 'behind' })]],
  [
    'a frozen normalisation',
    () => [conv(), frozen(layers.batchNorm({ name: 'norm', activation: 'relu' })), conv({ name: 'behind' })],
  ],
  [
    "tf.layers' normalisation",
    () => [
      conv(),
      tfl.layers.batchNormalization({ name: 'norm', momentum: 0.7, epsilon: 0.02 }),
      conv({ name: 'behind' }),
    ],
  ],
  [
    "tf.layers' normalisation, frozen",
    () => [conv(), frozen(tfl.layers.batchNormalization({ name: 'norm' })), conv({ name: 'behind' })],
  ],
];

describe('planned steps end where tfjs ends', () => {
  test.each(cases)('%s', async (_, middle) => {
    const expected = await layerByLayer(middle);
    const actual = await planned(middle);
    for (const [i, values] of expected.entries()) {
      const size = Math.max(...values.map(Math.abs), 1e-2);
      const difference = Math.max(...values.map((value, j) => Math.abs(value - (actual[i]?.[j] ?? Number.NaN))));
      expect(difference / size, `weight ${i}`).toBeLessThan(2e-5);
    }
  });
});

test('values that a constraint has shaped keep their bits when they are read back and restored', async () => {
  const middle = () => [conv({ kernelConstraint: maxNorm({ maxValue: 0.3, axis: 2 }), name: 'conv' })];
  const models = [network(middle()), network(middle())] as const;
  const optimizers = [adam(), adam()] as const;
  const start = {
    epoch: 0,
    step: 0,
    lossSum: 0,
    history: { loss: [], valLoss: [], valMeanIoU: [], valDice: [] },
    best: null,
  };
  const [whole, interrupted] = models.map((model, i) => createStepper(model, loss, optimizers[i] ?? adam(), shape));
  for (let step = 0; step < STEPS; step++) {
    await whole?.step(batch);
    await interrupted?.step(batch);
    interrupted?.flush();
    const state = await captureState(models[1], optimizers[1], start);
    tf.tidy(() => models[1].setWeights(models[1].getWeights().map((weight) => tf.zerosLike(weight))));
    restoreState(models[1], optimizers[1], state);
  }
  whole?.flush();
  interrupted?.flush();
  expect(weightsOf(models[1])).toEqual(weightsOf(models[0]));
  for (const disposable of [...models, ...optimizers]) disposable.dispose();
});

/** Mean and biased variance of each channel of some images, in float64. */
function statistics(images: Float32Array): { mean: number[]; variance: number[] } {
  const channels = [0, 1].map((c) => [...images].filter((_, i) => i % 2 === c));
  const mean = channels.map((values) => values.reduce((sum, v) => sum + v, 0) / values.length);
  const variance = channels.map(
    (values, c) => values.reduce((sum, v) => sum + (v - (mean[c] ?? 0)) ** 2, 0) / values.length,
  );
  return { mean, variance };
}

describe('moving statistics', () => {
  const n = BATCH * PIXELS;
  test.each([
    ["tf.layers' own take in the biased variance", () => tfl.layers.batchNormalization({ momentum: 0.7 }), 1],
    ["the package's the unbiased one", () => layers.batchNorm({ momentum: 0.7 }), n / (n - 1)],
  ] as const)('%s', async (_, make, correction) => {
    const norm = make();
    const model = network([norm]);
    norm.setWeights(
      norm.weights.map(({ originalName, shape }) =>
        /variance/.test(originalName) ? tf.ones(shape as number[]) : tf.zeros(shape as number[]),
      ),
    );
    const optimizer = adam();
    const stepper = createStepper(model, loss, optimizer, shape);
    expect(stepper.reason).toBeNull();
    await stepper.step(batch);
    stepper.flush();
    const { mean, variance } = statistics(batch.images);
    const [movingMean, movingVariance] = norm.weights.slice(2).map((weight) => [...weight.read().dataSync()]);
    for (const c of [0, 1]) {
      expect(movingMean?.[c]).toBeCloseTo(0.3 * (mean[c] ?? Number.NaN), 6);
      expect(movingVariance?.[c]).toBeCloseTo(0.7 + 0.3 * correction * (variance[c] ?? Number.NaN), 6);
    }
    optimizer.dispose();
    model.dispose();
  });
});

/** tf.layers does not export its base class. */
const KnownConstraint = nonNeg().constructor as new () => ReturnType<typeof nonNeg>;
class Odd extends KnownConstraint {
  static readonly className = 'Odd';
  override apply(w: tf.Tensor): tf.Tensor {
    return w;
  }
}

describe('what has no rule is named', () => {
  test.each([
    [conv({ kernelConstraint: new Odd() }), "weight 'conv/kernel' has the constraint Odd"],
    [
      conv({ kernelConstraint: maxNorm({ axis: [0, 1] as unknown as number }) }),
      "the constraint MaxNorm of weight 'conv/kernel' has axis=[0,1]",
    ],
  ])('%#', async (layer, reason) => {
    const model = network([layer]);
    const optimizer = adam();
    const stepper = createStepper(model, loss, optimizer, shape);
    expect(stepper.reason).toBe(reason);
    expect(await stepper.step(batch)).toBeGreaterThan(0);
    optimizer.dispose();
    model.dispose();
  });
});
