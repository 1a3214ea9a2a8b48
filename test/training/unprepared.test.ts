/** Images that were not prepared are no samples. */
import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { phantom, prepareSamples } from '../../src/data/index.js';
import * as models from '../../src/models/index.js';
import { DataError } from '../../src/runtime/errors.js';
import { train } from '../../src/training/index.js';

test('train says that images are to be prepared', async () => {
  const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
  const images = phantom('lung', { count: 2, size: 32 });
  const { samples } = prepareSamples(images);
  const error = new DataError(
    'Training takes prepared samples. Received: images as they were decoded or drawn. Pass them through prepareSamples: const { samples } = prepareSamples(images).',
  );
  const unprepared = images as never;
  await expect(train(model, { training: unprepared, validation: unprepared })).rejects.toThrow(error);
  await expect(train(model, { training: samples, validation: unprepared })).rejects.toThrow(error);
  model.dispose();
});
