/** Threads of predictions: the number changes no bit, and what is none is refused. */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ThreadPool } from '../../src/engine/threads/threadPool.js';
import { optimizeForInference, predictMask, predictProbability } from '../../src/inference/index.js';
import * as models from '../../src/models/index.js';
import { startBackend } from '../backends.js';
import { noise } from './models.js';

const [width, height] = [24, 20];
const prepared = { width, height, channels: 1, image: noise(width * height, 1) };
const raster = { width, height, channels: 1, data: prepared.image };
const message = 'threads must be a whole number from 1 to 64. Received: threads=';

describe('threads', () => {
  beforeAll(() => startBackend('wasm'));

  it('are those of the option, and change no bit of predictMask and predictProbability', async () => {
    const start = vi.spyOn(ThreadPool, 'start');
    const model = models.pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 });
    const one = await predictProbability(model, prepared);
    expect(start).not.toHaveBeenCalled();
    const before = tf.memory().numTensors;
    const two = await predictProbability(model, prepared, { threads: 2 });
    expect(start).toHaveBeenCalledTimes(1);
    expect(start.mock.calls[0]?.[0].threads).toBe(2);
    expect(two).toEqual(one);
    const mask = await predictMask(model, raster, { preprocessing: 'none', threads: 2 });
    expect(mask.probability).toEqual(one.probability);
    // Each number has its plan, made once, and takes over weights that were written.
    expect(start).toHaveBeenCalledTimes(1);
    expect(tf.memory().numTensors).toBe(before);
    for (const weight of model.weights) tf.tidy(() => void weight.write(tf.add(weight.read(), 0.01)));
    const [changed, same] = [
      await predictProbability(model, prepared, { threads: 2 }),
      await predictProbability(model, prepared),
    ];
    expect(changed).toEqual(same);
    expect(changed).not.toEqual(one);
    expect(start).toHaveBeenCalledTimes(1);
    model.dispose();
    start.mockRestore();
  });

  it('that are text are refused in quotation marks', async () => {
    const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    await expect(predictProbability(model, prepared, { threads: '2' as never })).rejects.toThrow(`${message}"2".`);
    model.dispose();
  });

  it.each([0, 1.5, -2, Number.NaN])('of %s are refused', async (threads) => {
    const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const sentence = `${message}${threads}.`;
    await expect(predictProbability(model, prepared, { threads })).rejects.toThrow(sentence);
    await expect(predictMask(model, raster, { preprocessing: 'none', threads })).rejects.toThrow(sentence);
    model.dispose();
  });

  it('of an optimized model are its own', async () => {
    const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const optimized = await optimizeForInference(model, { threads: 2 });
    expect(optimized.threads).toBe(2);
    const refused =
      'An optimized model computes on the threads that it was made for. Received: threads=2. Leave it out, or give threads to inference.optimizeForInference.';
    await expect(predictProbability(optimized, prepared, { threads: 2 })).rejects.toThrow(refused);
    await expect(predictMask(optimized, raster, { preprocessing: 'none', threads: 2 })).rejects.toThrow(refused);
    expect(await predictProbability(optimized, prepared)).toEqual(await predictProbability(model, prepared));
    optimized.dispose();
    model.dispose();
  });
});

describe('threads on a backend that does not plan', () => {
  beforeAll(() => startBackend('cpu'));
  afterAll(() => startBackend('wasm'));

  it('change nothing', async () => {
    const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const one = await predictProbability(model, prepared);
    expect(await predictProbability(model, prepared, { threads: 4 })).toEqual(one);
    model.dispose();
  });
});
