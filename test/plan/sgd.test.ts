/** Ten steps of SGD with planned gradients end with the weights of ten steps layer by layer on backend cpu, each network. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { create as createLoss } from '../../src/losses/index.js';
import * as models from '../../src/models/index.js';
import { readWeights, TrainingPlan } from '../../src/plan/index.js';
import { findProvider } from '../../src/runtime/providers.js';
import { headLoss } from '../../src/training/step.js';
import { startBackend } from '../backends.js';
import { fill, uniform } from '../models/formula.js';

beforeAll(() => startBackend('wasm'));

const SIZE = 16;
const BATCH = 2;
const RATE = 1e-3;
const STEPS = 10;

const networks: [models.NetworkName, Record<string, unknown>][] = [
  ['pyconvunet', { widths: [16, 32, 64] }],
  ['unet', { widths: [8, 16] }],
  ['unet++', { widths: [8, 16, 24], deepSupervision: true }],
  ['attention-unet', { widths: [8, 16] }],
  ['resnet34-unet', { widths: [8, 16], blocksPerStage: [1, 1] }],
  ['multiresunet', { widths: [8, 16] }],
  ['fcn8s', { widths: [8, 16, 16] }],
];

const images = Float32Array.from(uniform('sgd images', BATCH * SIZE * SIZE));
const masks = Float32Array.from({ length: BATCH * SIZE * SIZE }, (_, i) => ((i >> 3) ^ (i >> 8)) & 1);
const loss = createLoss('bce', { fromLogits: true });

function build([name, options]: (typeof networks)[number]): tfl.LayersModel {
  const model = models.create(name, { ...options, inputShape: [null, null, 1], head: 'logits', seed: 0 });
  fill(model);
  return model;
}

function targets(): tf.Tensor4D {
  return tf.tensor4d(masks, [BATCH, SIZE, SIZE, 1]);
}

function layerByLayer(model: tfl.LayersModel): void {
  const optimizer = tf.train.sgd(RATE);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  for (let step = 0; step < STEPS; step++) {
    tf.tidy(() => {
      const x = tf.tensor4d(images, [BATCH, SIZE, SIZE, 1]);
      const objective = () =>
        headLoss(loss, targets(), [model.apply(x, { training: true }) as tf.Tensor | tf.Tensor[]].flat());
      const { grads } = tf.variableGrads(objective, variables);
      optimizer.applyGradients(grads);
    });
  }
  optimizer.dispose();
}

async function planned(model: tfl.LayersModel): Promise<Map<tfl.LayerVariable, Float32Array>> {
  const kernels = findProvider('wasm')?.kernels;
  if (kernels === undefined) throw new Error('No kernels.');
  const plan = new TrainingPlan(model, kernels);
  plan.load(await readWeights(model));
  for (let step = 0; step < STEPS; step++) {
    const outputs = plan.forward(images, BATCH, [SIZE, SIZE, 1]);
    const gradients = tf.tidy(() => {
      const heads = outputs.map(({ data, shape }) => tf.tensor4d(data.slice(), [BATCH, ...shape]));
      return tf
        .valueAndGrads((...maps: tf.Tensor[]) => headLoss(loss, targets(), maps))(heads)
        .grads.map((gradient) => gradient.dataSync<'float32'>());
    });
    plan.backward(gradients);
    const weights = plan.weights();
    for (const [variable, gradient] of plan.state('gradient')) {
      const values = weights.get(variable);
      if (values !== undefined) for (const [i, g] of gradient.entries()) values[i] = (values[i] ?? 0) - RATE * g;
    }
    plan.load(weights);
  }
  return plan.weights();
}

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

describe('steps of SGD', () => {
  test.each(networks.map((item) => [item[0], item] as const))('%s', async (_, item) => {
    const expected = build(item);
    const model = build(item);
    // On wasm the layers would run on the engine of the plan.
    await startBackend('cpu');
    layerByLayer(expected);
    await startBackend('wasm');
    const weights = await planned(model);
    const errors = await Promise.all(
      model.weights.map(async (weight, i) => {
        const other = expected.weights[i];
        const values = Float32Array.from((await other?.read().data()) ?? []);
        const actual = weights.get(weight) ?? new Float32Array(0);
        return {
          name: weight.originalName,
          error: norm(values.map((v, j) => v - (actual[j] ?? Number.NaN))) / norm(values),
        };
      }),
    );
    expect(errors.filter(({ error }) => !(error < 1e-4))).toEqual([]);
    expected.dispose();
    model.dispose();
  });
});
