/** A step that fails leaves no tensor behind. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { uNet } from '../../src/models/index.js';
import { trainStep } from '../../src/training/step.js';
import { startBackend } from '../backends.js';

it('of a loss that does not depend on the weights', async () => {
  await startBackend('cpu');
  const model = uNet({ widths: [4, 8], inputShape: [8, 8, 1], head: 'logits', seed: 1 });
  const batch = {
    ...{ count: 1, height: 8, width: 8, channels: 1, names: ['a'] },
    images: new Float32Array(64),
    masks: new Uint8Array(64),
  };
  const optimizer = tf.train.sgd(0.1);
  const before = tf.memory().numTensors;
  expect(() => trainStep(model, () => tf.scalar(1), optimizer, batch)).toThrow(/connection between any variable/);
  expect(tf.memory().numTensors).toBe(before);
  optimizer.dispose();
  model.dispose();
});
