/** The lists of kernels that capabilities are read from are what narrow networks run, in inference and in training. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import type { Batch } from '../../src/data/index.js';
import * as losses from '../../src/losses/index.js';
import * as models from '../../src/models/index.js';
import { adam } from '../../src/optimizers/index.js';
import { capabilitiesOf, FORWARD_KERNELS, TRAINING_KERNELS } from '../../src/runtime/capabilities.js';
import { trainStep } from '../../src/training/step.js';
import { startBackend } from '../backends.js';

const NARROW: { readonly [Name in models.NetworkName]: models.NetworkConfigs[Name] } = {
  pyconvunet: { widths: [8, 16, 32] },
  unet: { widths: [2, 2] },
  'unet++': { widths: [2, 2, 2] },
  'attention-unet': { widths: [2, 2] },
  'resnet34-unet': { widths: [8, 8], blocksPerStage: [1, 1] },
  multiresunet: { widths: [4, 4] },
  fcn8s: { widths: [2, 2, 2] },
};
const [COUNT, SIZE, CHANNELS] = [2, 8, 3];
const BATCH: Batch = {
  count: COUNT,
  height: SIZE,
  width: SIZE,
  channels: CHANNELS,
  images: Float32Array.from({ length: COUNT * SIZE * SIZE * CHANNELS }, (_, i) => Math.sin(i)),
  masks: Uint8Array.from({ length: COUNT * SIZE * SIZE }, (_, i) => i % 2),
  names: ['a', 'b'],
};

function create(name: models.NetworkName, options: models.NetworkOptions): tfl.LayersModel {
  return models.create(name, { ...NARROW[name], inputShape: [SIZE, SIZE, CHANNELS], seed: 1, ...options });
}

/** The kernels of tfjs that `run` runs, without this package's own: those are there on every backend. */
async function kernelsOf(run: () => Promise<void>): Promise<string[]> {
  const { kernelNames } = await tf.profile(async () => {
    await run();
    return [];
  });
  return kernelNames.filter((name) => Reflect.get(tf, name) === name);
}

async function inference(model: tfl.LayersModel): Promise<void> {
  tf.tidy(() => {
    model.predict(tf.tensor4d(BATCH.images, [COUNT, SIZE, SIZE, CHANNELS]));
  });
}

/** A step of this package's own training, from logits. */
async function step(name: models.NetworkName, loss: losses.LossName, numClasses = 1): Promise<void> {
  const model = create(name, { head: 'logits', numClasses });
  trainStep(model, losses.create(loss, { fromLogits: true, numClasses }), adam(), BATCH).dispose();
  model.dispose();
}

/** A step of tfjs's training, from probabilities. */
async function layersStep(loss: losses.LossName, numClasses = 1): Promise<void> {
  const model = create('unet', { numClasses });
  model.compile({ optimizer: adam(), loss: losses.create(loss, { numClasses }) });
  const x = tf.tensor4d(BATCH.images, [COUNT, SIZE, SIZE, CHANNELS]);
  // Every pixel half of each class.
  const truth = new Float32Array(BATCH.masks.length * numClasses).fill(0.5);
  const y = tf.tensor4d(truth, [COUNT, SIZE, SIZE, numClasses]);
  await model.trainOnBatch(x, y);
  tf.dispose([x, y]);
  model.dispose();
}

// cpu has none of this package's kernels: there they are composed of tfjs's.
const ran = { inference: new Set<string>(), training: new Set<string>() };

test.each(['wasm', 'cpu'])('%s has every kernel that the networks run', async (backend) => {
  await startBackend(backend);
  const add = (set: Set<string>, kernels: string[]) => {
    for (const kernel of kernels) set.add(kernel);
  };
  for (const name of models.names) {
    for (const numClasses of name === 'unet' ? [1, 2] : [1]) {
      const model = create(name, { numClasses });
      add(ran.inference, await kernelsOf(() => inference(model)));
      model.dispose();
      add(ran.training, await kernelsOf(() => step(name, 'bce', numClasses)));
    }
  }
  for (const loss of losses.names) add(ran.training, await kernelsOf(() => step('unet', loss)));
  for (const numClasses of [1, 2]) add(ran.training, await kernelsOf(() => layersStep('bce', numClasses)));
  expect(capabilitiesOf(backend)).toEqual({ forward: true, training: true, missing: [] });
});

test('the lists name what they run and nothing else', () => {
  expect([...FORWARD_KERNELS]).toEqual([...ran.inference].sort());
  expect([...TRAINING_KERNELS]).toEqual([...ran.training].filter((kernel) => !ran.inference.has(kernel)).sort());
});
