/** Every network by both ways on wasm, and the sizes and images that they get. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { benchmark, type Work } from '../../src/benchmark/index.js';
import { randomBatch, sizeFor } from '../../src/benchmark/subject.js';
import { setMetadata } from '../../src/inference/index.js';
import * as models from '../../src/models/index.js';
import { widthOptions } from '../../src/models/widths.js';
import { startBackend } from '../backends.js';

beforeAll(() => startBackend('wasm'));

const settings = { batchSize: 2, threads: [1], backends: [{ name: 'wasm', threads: 1 }], rounds: 1, isProfiled: true };
const quiet = { signal: new AbortController().signal, onProgress: () => {}, log: () => {} };

describe.each<Work>(['inference', 'training'])('%s', (work) => {
  it.each(models.names)('of %s is the same planned and layer by layer', async (name) => {
    const before = tf.memory().numTensors;
    const options = { numClasses: name === 'unet' ? 3 : 1, inputShape: [null, null, 2] as [null, null, 2], seed: 1 };
    const build = async () => models.create(name, { ...options, ...widthOptions(name, [8, 16]) });
    const subjects = [{ name, build }];
    const [result] = await benchmark(subjects, { ...settings, work, size: [32, 32] }, quiet);
    expect(result?.notTimed).toEqual([]);
    expect(result?.timed.map(({ way }) => way).sort()).toEqual(['layer by layer', 'planned']);
    expect(result?.inputShape).toEqual([32, 32, 2]);
    expect(result?.profile?.ms).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(before);
    expect(tf.getBackend()).toBe('wasm');
  });
});

it('of UNet++ with deep supervision trains all its heads', async () => {
  const build = async () =>
    models.uNetPlusPlus({ widths: [4, 8], inputShape: [null, null, 1], deepSupervision: true, seed: 1 });
  const [result] = await benchmark([{ name: 'u', build }], { ...settings, work: 'training', size: [16, 16] }, quiet);
  expect(result?.timed).toHaveLength(2);
});

it('refuses a size before anything is measured, for every network', async () => {
  const lines: string[] = [];
  const build = (widths: number[]) => async () => models.uNet({ widths, inputShape: [null, null, 1], seed: 1 });
  const subjects = [
    { name: 'shallow', build: build([4, 8]) },
    { name: 'deep', build: build([4, 8, 12, 16]) },
  ];
  const log = (line: string) => lines.push(line);
  await expect(
    benchmark(subjects, { ...settings, work: 'inference', size: [20, 20] }, { ...quiet, log }),
  ).rejects.toThrow(
    'deep computes on sizes that are multiples of 8. Received: size 20x20. Give 24x24, to which prediction fills such images up.',
  );
  expect(lines).toEqual([]);
});

describe('sizeFor', () => {
  const make = (height: number | null, width: number | null) =>
    models.uNet({ widths: [4, 8, 12], inputShape: [height, width, 1], seed: 1 });

  it('is 256x256, or that of the training filled up as prediction does it, or the model’s own', () => {
    const free = make(null, null);
    expect(sizeFor(free, 'x', undefined)).toEqual([256, 256]);
    setMetadata(free, {
      formatVersion: 1,
      network: 'unet',
      preprocessing: { channels: 1, size: [90, 101], intensity: { kind: 'bytes' } },
      classes: ['background', 'foreground'],
      threshold: 0.5,
    });
    expect(sizeFor(free, 'x', undefined)).toEqual([92, 104]);
    expect(sizeFor(free, 'x', [64, 32])).toEqual([64, 32]);
    const fixed = make(32, 48);
    expect(sizeFor(fixed, 'x', undefined)).toEqual([32, 48]);
    expect(sizeFor(fixed, 'x', [32, 48])).toEqual([32, 48]);
    expect(() => sizeFor(fixed, 'x', [64, 48])).toThrow(
      'x was built for images of 32x48 (height x width). Received: size 64x48. Leave the size out.',
    );
    expect(sizeFor(free, 'x', [8192, 8192])).toEqual([8192, 8192]);
    expect(() => sizeFor(free, 'x', [8192, 8195])).toThrow(
      'A benchmark takes images of up to 67108864 pixels, such as 8192x8192. Received: size 8192x8195. Give a smaller one.',
    );
    for (const model of [free, fixed]) model.dispose();
  });
});

it.each([
  [1, [0, 1]],
  [4, [0, 1, 2, 3]],
])('the masks of a network of %i classes hold all labels', (numClasses, labels) => {
  const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 3], numClasses, seed: 1 });
  const batch = randomBatch(model, 2, [20, 30]);
  expect([...new Set(batch.masks)].sort()).toEqual(labels);
  expect(batch.masks).toHaveLength(2 * 20 * 30);
  expect(batch.images).toHaveLength(2 * 20 * 30 * 3);
  expect(Math.min(...batch.images)).toBeLessThan(-0.9);
  expect(Math.max(...batch.images)).toBeGreaterThan(0.9);
  expect(randomBatch(model, 2, [20, 30])).toEqual(batch);
  model.dispose();
});
