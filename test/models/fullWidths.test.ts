import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../backends.js';
import { build, cases, checkInference, title } from './pytorchSuite.js';

// On the fastest backend that is always there.
beforeAll(() => startBackend('wasm'));

describe('the networks at the widths of their papers equal PyTorch in inference', () => {
  for (const oracleCase of cases) {
    const { inference, training } = oracleCase;
    if (inference === undefined || training !== undefined) continue;
    test(oracleCase.network, () => {
      const before = tf.memory().numTensors;
      checkInference(oracleCase, inference);
      expect(tf.memory().numTensors).toBe(before);
    });
  }
});

test.each(cases)('$network $options has as many parameters as PyTorch counts', (oracleCase) => {
  const model = build(oracleCase);
  const count = (weights: { shape: (number | null)[] }[]) =>
    weights.reduce((sum, { shape }) => sum + shape.reduce<number>((size, length) => size * (length ?? 0), 1), 0);
  expect(count(model.trainableWeights), title(oracleCase)).toBe(oracleCase.trainable);
  expect(count(model.nonTrainableWeights), title(oracleCase)).toBe(oracleCase.movingStatistics);
  expect(model.countParams()).toBe(oracleCase.trainable + oracleCase.movingStatistics);
  model.dispose();
});
