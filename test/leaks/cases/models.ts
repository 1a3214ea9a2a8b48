/** Leak cases of the networks: each predicts and trains a step; loading from files and from memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { saveModel } from '../../../src/files.js';
import { models } from '../../../src/index.js';
import { tinyNet } from '../inputs.js';
import { type LeakCases, withModel } from '../leakCase.js';

/** Predicts, trains a step with every output of zeros, and disposes of all. */
const exercise = (network: tfl.LayersModel): Promise<void> =>
  withModel(network, async (model) => {
    const channels = model.inputs[0]?.shape[3] ?? 1;
    const x = tf.randomNormal([1, 16, 16, channels]);
    const outputs = [model.predict(x)].flat();
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await model.trainOnBatch(x, outputs);
    tf.dispose([x, outputs]);
  });

const narrow = { widths: [2, 4], inputShape: [16, 16, 1], seed: 0, dropout: 0.2 } as const;

export const cases: LeakCases = {
  pyConvUNet: () => exercise(models.pyConvUNet({ ...narrow, widths: [8, 16], groups: 'auto' })),
  uNet: () => exercise(models.uNet({ ...narrow, numClasses: 3 })),
  uNetPlusPlus: () => exercise(models.uNetPlusPlus({ ...narrow, deepSupervision: true })),
  attentionUNet: () => exercise(models.attentionUNet(narrow)),
  resNet34UNet: () => exercise(models.resNet34UNet({ ...narrow, widths: [4, 4], blocksPerStage: [1, 1] })),
  multiResUNet: () => exercise(models.multiResUNet({ ...narrow, widths: [4, 8] })),
  fcn8s: () => exercise(models.fcn8s({ ...narrow, widths: [2, 4, 4] })),
  create: () => exercise(models.create('unet', narrow)),
  divisor: () => withModel(tinyNet(), models.divisor),
  isNetworkName: () => models.isNetworkName('unet'),
  logits: () =>
    withModel(tinyNet(), (model) => {
      tfl.model({ inputs: model.inputs, outputs: models.logits(model) });
    }),
  load: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'leaks-'));
    await withModel(tinyNet(), (model) => saveModel(model, folder));
    await withModel(await models.load(join(folder, 'model.json')), () => {});
    await rm(folder, { recursive: true });
  },
};
