/** Leak cases of the training entry: loop, optimizer and state; and one line for each function on plain arrays. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { losses, models } from '../../../src/index.js';
import * as training from '../../../src/training.js';
import { bytes, sample, tinyNet } from '../inputs.js';
import { type LeakCases, withModel } from '../leakCase.js';

const data = { training: [sample('a'), sample('b'), sample('c')], validation: [sample('d')] };
const options = { epochs: 1, batchSize: 2, loss: 'bce-dice', augment: 'random' } as const;
const size = { height: 16, width: 16, batchSize: 2 };
const start = { epoch: 0, step: 0, lossSum: 0, history: { loss: [], valLoss: [], valMeanIoU: [], valDice: [] } };

/** Trains an epoch, and what it leaves to go on from. */
async function stateAfterTraining(model: tfl.LayersModel): Promise<training.TrainingState> {
  const states: training.TrainingState[] = [];
  await training.train(model, data, {
    ...options,
    onState: (state) => {
      states.push(state);
    },
  });
  const [last] = states.slice(-1);
  if (last === undefined) throw new Error('Training handed out no state.');
  return last;
}

/** Steps of an optimizer through `model.fit`'s own step. */
const stepWith = (optimizer: training.Adam): Promise<void> =>
  withModel(tinyNet(), async (model) => {
    model.compile({ optimizer, loss: losses.dice() });
    const [x, y] = [tf.ones([2, 8, 8, 1]), tf.ones([2, 8, 8, 1])];
    await model.trainOnBatch(x, y);
    const [step] = await optimizer.getWeights();
    tf.dispose([x, y, step?.tensor]);
    optimizer.dispose();
  });

export const cases: LeakCases = {
  train: () =>
    withModel(tinyNet(), async (model) => {
      await training.train(model, data, { ...options, epochs: 2, state: await stateAfterTraining(model) });
      const aborted = training.train(model, data, { ...options, signal: AbortSignal.abort() });
      await aborted.catch(() => {});
    }),
  validate: () =>
    withModel(tinyNet(), async (model) => {
      const network = tfl.model({ inputs: model.inputs, outputs: models.logits(model) });
      const loss = losses.crossentropy({ fromLogits: true });
      await training.validate(network, data.training, { loss, batchSize: 2 });
    }),
  Adam: () => stepWith(new training.Adam()),
  adam: () => stepWith(training.adam({ learningRate: 0.01 })),
  captureState: () =>
    withModel(tinyNet(), async (model) => {
      const optimizer = training.adam();
      await training.captureState(model, optimizer, { ...start, best: null });
      optimizer.dispose();
    }),
  restoreState: () =>
    withModel(tinyNet(), async (model) => {
      const state = await stateAfterTraining(model);
      const optimizer = training.adam();
      training.restoreState(model, optimizer, state);
      optimizer.dispose();
    }),
  estimateMemory: () => withModel(tinyNet(), (model) => training.estimateMemory(model, size)),
  estimateStepSeconds: () => withModel(tinyNet(), (model) => training.estimateStepSeconds(model, size)),
  isImageFile: () => training.isImageFile('a.png'),
  gibibytes: () => training.gibibytes(2 ** 30),
  requireMemory: () => withModel(tinyNet(), (model) => training.requireMemory(model, size)),
  batchIndices: () => training.batchIndices([0, 1, 2], 2),
  epochOrder: () => training.epochOrder(3, { seed: 0, epoch: 1 }),
  packBatch: () => training.packBatch(data.training),
  requireOneSize: () => training.requireOneSize(data.training),
  encodePng: () => training.encodePng(bytes),
  decodeImage: () => training.decodeImage(training.encodePng(bytes), 'image.png'),
  countPages: () => training.countPages(training.encodePng(bytes), 'image.png'),
  grouping: () => training.grouping('^(a)')('a1'),
  toLabels: () => training.toLabels({ ...bytes, data: new Uint8Array(64) }, 'mask.png'),
  isPhantomName: () => training.isPhantomName('lung'),
  phantom: () => training.phantom('lung', { count: 1, size: 32 }),
  prepareSamples: () => training.prepareSamples(training.phantom('cell', { count: 1, size: 32 })),
  preprocess: () => training.preprocess(bytes, training.resolvePreprocessing([bytes])),
  resolvePreprocessing: () => training.resolvePreprocessing([bytes]),
  isEightBit: () => training.isEightBit(bytes),
  isGrey: () => training.isGrey(bytes),
  resizeBilinear: () => training.resizeBilinear(bytes, [4, 4]),
  resizeNearest: () => training.resizeNearest(bytes, [4, 4]),
  split: () => training.split(data.training, { seed: 1 }),
  folds: () => training.folds(data.training, { seed: 1, folds: 3 }),
  isOneGroup: () => training.isOneGroup(data.training),
};
