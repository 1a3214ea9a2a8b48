/** The refusal of a step of one image. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { uNet } from '../../src/models/index.js';
import { requireMemory } from '../../src/training/estimate.js';
import '../../src/wasm.js';

test('speaks of one image', async () => {
  await tf.setBackend('wasm');
  const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
  expect(() => requireMemory(model, { height: 64, width: 64, batchSize: 1 }, 1)).toThrow(
    'A training step of 1 image of 64x64 needs about ',
  );
  model.dispose();
});
