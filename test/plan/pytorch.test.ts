/** The plan of every network against PyTorch's logits, all of them on tiles and lists alike. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { optimizeForInference } from '../../src/inference/index.js';
import { startBackend } from '../backends.js';
import { fill, inputImage } from '../models/formula.js';
import { build, cases, logitsError, title } from '../models/pytorchSuite.js';

beforeAll(() => startBackend('wasm'));

const isInference = (item: (typeof cases)[number]) => item.inference !== undefined;

describe.each(['fast', 'exact'] as const)('planned logits, precision %s', (precision) => {
  test.each(cases.filter(isInference).map((item) => [title(item), item] as const))('%s', async (_, item) => {
    const model = build(item);
    fill(model);
    const before = tf.memory().numTensors;
    const optimized = await optimizeForInference(model, { precision });
    expect(optimized.reason).toBeNull();
    expect(optimized.difference).toBeLessThan(1e-4);
    const x = inputImage(item.input);
    const maps = [optimized.predict(x)].flat();
    x.dispose();
    expect(await logitsError(maps, item.inference ?? [])).toBeLessThan(1e-4);
    expect(tf.memory().numTensors).toBe(before);
    optimized.dispose();
    model.dispose();
  });
});
