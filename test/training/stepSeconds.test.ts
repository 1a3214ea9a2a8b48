/** The estimate of a step's time: how many passes are taken, and which of them count. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { ModelPredictor } from '../../src/inference/predictor.js';
import { uNet } from '../../src/models/index.js';
import { estimateStepSeconds } from '../../src/training/index.js';
import { startBackend } from '../backends.js';

beforeAll(() => startBackend('cpu'));
afterEach(() => vi.restoreAllMocks());

/** Milliseconds of each pass, and the one that counts. */
const cases = [
  ['of what is slow the second of two', [900, 300], 300],
  ['of what is fast the median of the later half of ten', [90, 60, 50, 40, 30, 10, 20, 12, 14, 16], 14],
  ['as many as fit into half a second', [200, 180, 70, 60], 70],
] as const;

it.each(cases)('counts %s', async (_, milliseconds, counted) => {
  const model = uNet({ widths: [2, 4], inputShape: [null, null, 1], seed: 1 });
  let now = 0;
  let passes = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.spyOn(ModelPredictor.prototype, 'predict').mockImplementation(() => {
    now += milliseconds[passes++] ?? Number.NaN;
    return tf.scalar(0);
  });
  const before = tf.memory().numTensors;
  const seconds = await estimateStepSeconds(model, { height: 4, width: 4, batchSize: 2 });
  expect(passes).toBe(milliseconds.length);
  // Two images, and 3.6 forward passes a step, layer by layer.
  expect(seconds).toBeCloseTo((2 * 3.6 * counted) / 1000, 10);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
