/** Leak cases of prediction: sizes that need padding, logits, images as arrays and as tensors. */
import * as tf from '@tensorflow/tfjs-core';
import { inference } from '../../../src/index.js';
import { bytes, sample, tinyNet } from '../inputs.js';
import { type LeakCases, withModel } from '../leakCase.js';

const segmentation = () =>
  new inference.Segmentation({
    width: 2,
    height: 1,
    mask: Uint8Array.of(0, 1),
    probability: Float32Array.of(0, 1),
    classes: ['background', 'foreground'],
    threshold: 0.5,
  });

const metadata: inference.ModelMetadata = {
  formatVersion: 1,
  network: 'unet',
  preprocessing: { channels: 1, size: [6, 6], intensity: { kind: 'minmax' } },
  classes: ['background', 'foreground'],
  threshold: 0.5,
};

export const cases: LeakCases = {
  predictMask: () =>
    withModel(tinyNet(), async (model) => {
      await inference.predictMask(model, bytes);
      inference.setMetadata(model, metadata);
      const image = tf.ones<tf.Rank.R3>([5, 7, 1]);
      await inference.predictMask(model, image);
      image.dispose();
    }),
  predictProbability: () =>
    withModel(tinyNet({ head: 'logits', numClasses: 3 }), (model) =>
      inference.predictProbability(model, { ...sample(), width: 7, image: new Float32Array(56) }),
    ),
  optimizeForInference: () =>
    withModel(tinyNet(), async (model) => {
      const optimized = await inference.optimizeForInference(model);
      const x = tf.zeros<tf.Rank.R4>([2, 8, 8, 1]);
      tf.dispose([optimized.predict(x), x]);
      optimized.dispose();
    }),
  OptimizedModel: () =>
    withModel(tinyNet(), async (model) => {
      const optimized = await inference.OptimizedModel.create(model, 'exact');
      await inference.predictMask(optimized, bytes);
      optimized.dispose();
    }),
  setMetadata: () => withModel(tinyNet(), (model) => inference.setMetadata(model, metadata)),
  getMetadata: () => withModel(tinyNet(), inference.getMetadata),
  defaultClasses: () => inference.defaultClasses(3),
  classColour: () => inference.classColour(1),
  overlay: () => inference.overlay([0, 255], segmentation(), { truth: Uint8Array.of(1, 0) }),
  Segmentation: () => {
    segmentation().contours();
    segmentation().toRgba();
  },
};
