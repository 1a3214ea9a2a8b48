/** What a model knows of its training: written, saved, loaded, applied; and one sentence for what is illegal. */
import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  defaultClasses,
  getMetadata,
  type ModelMetadata,
  predictMask,
  setMetadata,
} from '../../src/inference/index.js';
import * as models from '../../src/models/index.js';
import { DataError, InvalidArgumentError } from '../../src/runtime/errors.js';
import { saveModel } from '../../src/training/files/index.js';
import { noise } from './models.js';

const METADATA: ModelMetadata = {
  formatVersion: 1,
  // Strings that tfjs would rewrite in a layer's configuration.
  network: 'attention-unet',
  preprocessing: { channels: 1, size: [8, 12], intensity: { kind: 'range', low: -160, high: 240 } },
  classes: ['back_ground', 'left_lung'],
  threshold: 0.4,
};
const LEGAL = JSON.stringify(METADATA);

let model: tfl.LayersModel;
beforeAll(() => {
  model = models.uNet({ widths: [2, 4], inputShape: [null, null, 1], seed: 1 });
});
afterAll(() => {
  model.dispose();
});

/** The legal metadata with other fields, as a caller without types may write them. */
const changed = (fields: object): ModelMetadata => ({ ...JSON.parse(LEGAL), ...fields });

describe('metadata', () => {
  it('is read as it was written, beside what the user wrote', () => {
    model.setUserDefinedMetadata({ author: 'someone' });
    expect(getMetadata(model)).toBeUndefined();
    setMetadata(model, METADATA);
    expect(getMetadata(model)).toEqual(METADATA);
    expect(model.getUserDefinedMetadata()).toMatchObject({ author: 'someone' });
    setMetadata(model, { ...METADATA, threshold: 0.6 });
    expect(getMetadata(model)?.threshold).toBe(0.6);
  });

  it('comes back from files with the model, which then predicts the same', async () => {
    setMetadata(model, METADATA);
    const folder = await mkdtemp(join(tmpdir(), 'model-'));
    try {
      await saveModel(model, folder);
      const loaded = await models.load(join(folder, 'model.json'));
      expect(getMetadata(loaded)).toEqual(METADATA);
      const image = { width: 10, height: 6, channels: 1, data: noise(60, 1).map((v) => v * 300) };
      expect(await predictMask(loaded, image)).toEqual(await predictMask(model, image));
      loaded.dispose();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has names for the classes of any model', () => {
    expect(defaultClasses(1)).toEqual(['background', 'foreground']);
    expect(defaultClasses(3)).toEqual(['background', 'class 1', 'class 2']);
  });
});

describe('illegal metadata', () => {
  const { preprocessing } = METADATA;
  it.each<[object, string]>([
    [{ formatVersion: 0 }, 'formatVersion must be 1. Received: 0'],
    [{ network: '' }, 'network must be a name. Received: ""'],
    [{ preprocessing: null }, 'preprocessing.channels must be 1 or 3. Received: undefined'],
    [{ preprocessing: { ...preprocessing, channels: 4 } }, 'preprocessing.channels must be 1 or 3. Received: 4'],
    [
      { preprocessing: { ...preprocessing, size: 64 } },
      'preprocessing.size must be [height, width] or null. Received: 64',
    ],
    [
      { preprocessing: { ...preprocessing, size: [64, 0] } },
      'preprocessing.size must be [height, width] or null. Received: [64,0]',
    ],
    [
      { preprocessing: { ...preprocessing, intensity: { kind: 'range', low: 3, high: 3 } } },
      `preprocessing.intensity must be {kind: 'range', low, high} with low < high, {kind: 'bytes'} or {kind: 'minmax'}. Received: {"kind":"range","low":3,"high":3}`,
    ],
    [
      { preprocessing: { ...preprocessing, intensity: { kind: 'zscore' } } },
      `preprocessing.intensity must be {kind: 'range', low, high} with low < high, {kind: 'bytes'} or {kind: 'minmax'}. Received: {"kind":"zscore"}`,
    ],
    [{ classes: ['lung'] }, 'classes must be at least two names, background first. Received: ["lung"]'],
    [
      { classes: ['a', 'b', 'c'] },
      `classes must be 2 names for the model's 1 output channel, background first. Received: ["a","b","c"]`,
    ],
    [{ threshold: 1.5 }, 'threshold must be a probability in [0, 1]. Received: 1.5'],
    [{ threshold: null }, 'threshold must be a probability in [0, 1]. Received: null'],
  ])('%o', (fields, problem) => {
    const error = InvalidArgumentError;
    expect(() => setMetadata(model, changed(fields))).toThrow(new error(`In a model's metadata ${problem}.`));
    model.setUserDefinedMetadata({ pyconvunet: changed(fields) });
    expect(() => getMetadata(model)).toThrow(
      new DataError(
        `The model's metadata is damaged: ${problem}. Save the model again, or describe it with inference.setMetadata.`,
      ),
    );
  });

  it('is told from metadata of a newer version', () => {
    model.setUserDefinedMetadata({ pyconvunet: changed({ formatVersion: 2, classes: 'elsewhere' }) });
    expect(() => getMetadata(model)).toThrow(
      new DataError(
        "The model's metadata has formatVersion 2, and this version of pyconvunet reads 1. Install a newer pyconvunet.",
      ),
    );
  });

  it.each([null, 'lung', 7])('is %o instead of a description', (metadata) => {
    model.setUserDefinedMetadata({ pyconvunet: metadata });
    expect(() => getMetadata(model)).toThrow(
      "The model's metadata is damaged: formatVersion must be 1. Received: undefined. Save the model again",
    );
  });

  it('is found by predictMask', async () => {
    model.setUserDefinedMetadata({ pyconvunet: changed({ threshold: 2 }) });
    const image = { width: 2, height: 2, channels: 1, data: new Uint8Array(4) };
    await expect(predictMask(model, image)).rejects.toThrow(DataError);
  });
});
