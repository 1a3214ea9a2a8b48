/** Large steps compute normalised maps again in the backward pass: with the same bits as steps that keep them, in less memory. */
import { beforeAll, expect, test } from 'vitest';
import * as models from '../../src/models/index.js';
import { readWeights, TrainingPlan } from '../../src/plan/index.js';
import { findProvider } from '../../src/runtime/providers.js';
import { dropoutMasks } from '../../src/training/dropoutMasks.js';
import { startBackend } from '../backends.js';
import { fill, uniform } from '../models/formula.js';

beforeAll(() => startBackend('wasm'));

const networks: [models.NetworkName, Record<string, unknown>][] = [
  ['pyconvunet', { widths: [16, 32] }],
  ['unet++', { widths: [8, 16, 24], deepSupervision: true }],
  ['attention-unet', { widths: [8, 16] }],
  ['resnet34-unet', { widths: [8, 16], blocksPerStage: [1, 1] }],
  ['multiresunet', { widths: [8, 16] }],
  ['fcn8s', { widths: [8, 16, 16] }],
];
const BATCH = 2;
const shape = [32, 48, 1] as const;
const images = Float32Array.from(uniform('images', BATCH * 32 * 48));

test.each(networks)('%s', async (name, options) => {
  const model = models.create(name, { ...options, inputShape: [null, null, 1], head: 'logits', seed: 1, dropout: 0.3 });
  fill(model);
  const kernels = findProvider('wasm')?.kernels;
  if (kernels === undefined) throw new Error('No kernels.');
  const weights = await readWeights(model);
  // The same masks for both.
  const draw = dropoutMasks(model, 1)({ step: 0, piece: 0 });
  const drawn = new Map<string, Float32Array>();
  const masks: typeof draw = (layer, size) => {
    const mask = drawn.get(layer) ?? draw(layer, size);
    drawn.set(layer, mask);
    return mask;
  };
  const [kept, again] = (['maps', 'sums'] as const).map((keeps) => {
    const plan = new TrainingPlan(model, kernels, { keeps });
    plan.load(weights);
    const outputs = plan.forward(images, BATCH, shape, masks);
    plan.backward(outputs.map(({ data }) => data.map((value) => Math.sin(9 * value) / data.length)));
    return { gradients: [...plan.state('gradient').values()], bytes: plan.bytes };
  });
  const differences = kept?.gradients.map(
    (values, i) => values.filter((value, j) => value !== again?.gradients[i]?.[j]).length,
  );
  expect(differences).toEqual(model.trainableWeights.map(() => 0));
  expect(again?.bytes).toBeLessThan(kept?.bytes ?? 0);
  model.dispose();
});
