/** The planned training step of every network against PyTorch: logits, moving statistics and the gradient of every weight. */

import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { readWeights, TrainingPlan } from '../../src/plan/index.js';
import { findProvider } from '../../src/runtime/providers.js';
import { startBackend } from '../backends.js';
import { digest, fill, inputImage, namedWeights, uniform } from '../models/formula.js';
import { build, cases, digestError, logitsError, title } from '../models/pytorchSuite.js';

beforeAll(() => startBackend('wasm'));

const trained = cases.filter(({ gradients }) => gradients !== undefined);

describe('planned training step', () => {
  test.each(trained.map((item) => [title(item), item] as const))('%s', async (_, item) => {
    const { training = [], gradients = {}, moving = {}, input } = item;
    const model = build(item);
    fill(model);
    const kernels = findProvider('wasm')?.kernels;
    if (kernels === undefined) throw new Error('No kernels.');
    const plan = new TrainingPlan(model, kernels);
    plan.load(await readWeights(model));
    const [batch, height, width, channels] = input;
    const x = inputImage(input);
    const outputs = plan.forward(x.dataSync<'float32'>(), batch, [height, width, channels]);
    x.dispose();
    const maps = outputs.map(({ data, shape }) => tf.tensor4d(data.slice(), [batch, ...shape]));
    const sizes = maps.map(({ size }) => size);
    expect(await logitsError(maps, training)).toBeLessThan(1e-4);
    // The mean of logits times a formula vector, summed over the heads.
    plan.backward(sizes.map((size, head) => Float32Array.from(uniform(`target${head}`, size), (t) => t / size)));
    const actual = plan.state('gradient');
    const weights = plan.weights();
    const largest = Math.max(...Object.values(gradients).map(([norm]) => norm));
    const errors: { name: string; error: number }[] = [];
    for (const { name, weight } of namedWeights(model)) {
      if (weight.trainable) {
        const expected = gradients[name] ?? [Number.NaN, Number.NaN];
        // A bias in front of a normalisation has no gradient but rounding.
        errors.push({ name, error: digestError(digest(name, actual.get(weight) ?? []), expected, largest * 1e-3) });
      } else {
        const expected = moving[name] ?? [Number.NaN, Number.NaN];
        errors.push({ name, error: digestError(digest(name, weights.get(weight) ?? []), expected) });
      }
    }
    expect(errors.filter(({ error }) => !(error < 1e-3))).toEqual([]);
    model.dispose();
  });
});
