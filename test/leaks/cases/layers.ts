/** Leak cases of the layers: each is built in a model, predicts and trains a step. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { layers } from '../../../src/index.js';
import type { LeakCases } from '../leakCase.js';

/** Builds a model around a layer, predicts, trains a step through it, and disposes of all. */
async function exercise(layer: tfl.layers.Layer): Promise<void> {
  const input = tfl.input({ shape: [8, 8, 8] });
  // Weights before the layer, so that a gradient flows through layers that have none.
  const before = tfl.layers.conv2d({ filters: 8, kernelSize: 1 }).apply(input) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: layer.apply(before) as tfl.SymbolicTensor });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const x = tf.randomNormal([2, 8, 8, 8]);
  const y = model.predict(x) as tf.Tensor;
  await model.trainOnBatch(x, y);
  tf.dispose([x, y]);
  model.dispose();
}

const pyramid = { filters: 8, kernelSizes: [3, 5], groups: [1, 4], activation: 'relu' } as const;

export const cases: LeakCases = {
  pyConv2d: () => exercise(layers.pyConv2d(pyramid)),
  PyConv2D: () => exercise(new layers.PyConv2D({ filters: 16, groups: 'auto' })),
  groupConv2d: () => exercise(layers.groupConv2d({ filters: 8, kernelSize: 3, groups: 2 })),
  GroupConv2D: () => exercise(new layers.GroupConv2D({ filters: 8, kernelSize: 3, groups: 8 })),
  batchNorm: () => exercise(layers.batchNorm({ activation: 'relu' })),
  BatchNorm: () => exercise(new layers.BatchNorm({ scale: false })),
  bilinearUpsampling: () => exercise(layers.bilinearUpsampling()),
  BilinearUpsampling: () => exercise(new layers.BilinearUpsampling()),
  nearestUpsampling: () => exercise(layers.nearestUpsampling()),
  NearestUpsampling: () => exercise(new layers.NearestUpsampling()),
  crop: () =>
    exercise(
      layers.crop({
        cropping: [
          [1, 0],
          [1, 0],
        ],
      }),
    ),
  Crop: () =>
    exercise(
      new layers.Crop({
        cropping: [
          [0, 1],
          [0, 1],
        ],
      }),
    ),
  dropout: () => exercise(layers.dropout({ rate: 0.5, seed: 1 })),
  Dropout: () => exercise(new layers.Dropout({ rate: 0.5, seed: 0 })),
  SizeGuard: () => exercise(new layers.SizeGuard({ divisor: 4 })),
};
