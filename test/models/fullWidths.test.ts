import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../backends.js';
import { cases, checkInference } from './pytorchSuite.js';

// On the fastest backend that is always there.
beforeAll(() => startBackend('wasm'));

describe('the networks at the widths of their papers equal PyTorch in inference', () => {
  for (const oracleCase of cases) {
    const { inference, training } = oracleCase;
    if (inference === undefined || training !== undefined) continue;
    test(oracleCase.network, async () => {
      const before = tf.memory().numTensors;
      await checkInference(oracleCase, inference);
      expect(tf.memory().numTensors).toBe(before);
    });
  }
});
