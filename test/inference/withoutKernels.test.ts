/** A page that never imported `pyconvunet/wasm`: a file of its own, as an import cannot be taken back. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { optimizeForInference } from '../../src/inference/index.js';
import * as models from '../../src/models/index.js';
import { startBackend } from '../backends.js';

it('optimizeForInference says that the import of pyconvunet/wasm is missing, and predicts layer by layer', async () => {
  await startBackend('cpu');
  const model = models.uNet({ widths: [4, 6], inputShape: [null, null, 1], seed: 1 });
  const optimized = await optimizeForInference(model);
  expect(optimized.reason).toBe("the import of 'pyconvunet/wasm' is missing");
  const x = tf.tidy(() => tf.reshape<tf.Rank.R4>(tf.linspace(-1, 1, 64), [1, 8, 8, 1]));
  const [actual, expected] = [optimized, model].map((predictor) =>
    tf.tidy(() => (predictor.predict(x) as tf.Tensor).dataSync()),
  );
  expect(actual).toEqual(expected);
  x.dispose();
  optimized.dispose();
  model.dispose();
});
