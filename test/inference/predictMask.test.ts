/** Prediction of one image on every backend: sizes, scaling, heads, thresholds, progress and abort. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type PredictOptions, type Prepared, predictMask, predictProbability } from '../../src/inference/index.js';
import { ConfusionMatrix } from '../../src/metrics/index.js';
import * as models from '../../src/models/index.js';
import type { Progress } from '../../src/runtime/progress.js';
import { describeBackends, startBackend } from '../backends.js';
import { describeModel, noise, patches } from './models.js';

const net = (options: models.UNetOptions = {}) =>
  models.uNet({ widths: [4, 6, 8], inputShape: [null, null, 1], seed: 3, ...options });

/** What one output of the model itself, by default the last, says of an image of a legal size. */
async function direct(model: tfl.LayersModel, prepared: Prepared, output = -1): Promise<number[]> {
  const { width, height, channels, image } = prepared;
  const y = tf.tidy(() => [model.predict(tf.tensor4d(image, [1, height, width, channels]))].flat().at(output)?.clone());
  const values = Array.from((await y?.data()) ?? []);
  tf.dispose(y);
  return values;
}

/** An image with its last row and column repeated, by plain loops. */
function padByHand({ width, height, channels, image }: Prepared, toHeight: number, toWidth: number): Prepared {
  const padded = new Float32Array(toHeight * toWidth * channels);
  for (let y = 0; y < toHeight; y++)
    for (let x = 0; x < toWidth; x++)
      for (let c = 0; c < channels; c++) {
        const from = (Math.min(y, height - 1) * width + Math.min(x, width - 1)) * channels + c;
        padded[(y * toWidth + x) * channels + c] = image[from] ?? Number.NaN;
      }
  return { width: toWidth, height: toHeight, channels, image: padded };
}

function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? Number.NaN))));
}

async function failure(call: () => Promise<unknown>): Promise<string> {
  const before = tf.memory().numTensors;
  const error = await call().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  expect(tf.memory().numTensors).toBe(before);
  return `${(error as Error).name}: ${(error as Error).message}`;
}

describeBackends('predictProbability', () => {
  it.each([
    [16, 12],
    [13, 18],
    [3, 2],
    [1, 1],
    [1, 9],
  ])('of %i x %i pixels is that of the image padded by hand and cut again', async (height, width) => {
    const model = net({ numClasses: 2 });
    const prepared = { width, height, channels: 1, image: noise(height * width, 5) };
    const legal = (length: number) => Math.ceil(length / 4) * 4;
    const padded = await direct(model, padByHand(prepared, legal(height), legal(width)));
    const expected: number[] = [];
    for (let y = 0; y < height; y++) {
      const row = y * legal(width) * 2;
      expected.push(...padded.slice(row, row + width * 2));
    }
    const before = tf.memory();
    const { probability, classes } = await predictProbability(model, prepared);
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(classes).toBe(2);
    expect(maxDifference(probability, expected)).toBeLessThan(1e-6);
    model.dispose();
  });

  it.each([1, 3])("of a network that ends in the logits of %i classes is the full network's", async (numClasses) => {
    const [full, headless] = [net({ numClasses }), net({ numClasses, head: 'logits' })];
    const prepared = { width: 10, height: 7, channels: 1, image: noise(70, 1) };
    const expected = await predictProbability(full, prepared);
    const actual = await predictProbability(headless, prepared);
    expect(actual.classes).toBe(numClasses);
    expect(maxDifference(actual.probability, expected.probability)).toBeLessThan(1e-6);
    full.dispose();
    headless.dispose();
  });

  it('of a network with deep supervision is its last head', async () => {
    const options = { widths: [4, 6, 8], inputShape: [null, null, 1], seed: 2, deepSupervision: true } as const;
    const [model, headless] = [models.uNetPlusPlus(options), models.uNetPlusPlus({ ...options, head: 'logits' })];
    const prepared = { width: 8, height: 8, channels: 1, image: noise(64, 2) };
    const { probability } = await predictProbability(model, prepared);
    expect(maxDifference(probability, await direct(model, prepared))).toBeLessThan(1e-7);
    expect(maxDifference(probability, await direct(model, prepared, 0))).toBeGreaterThan(1e-3);
    expect(maxDifference((await predictProbability(headless, prepared)).probability, probability)).toBeLessThan(1e-6);
    model.dispose();
    headless.dispose();
  });

  it('takes a fixed size, and what reaches it by padding', async () => {
    const model = net({ inputShape: [8, 12, 1] });
    for (const [height, width] of [
      [8, 12],
      [5, 10],
    ] as const) {
      const prepared = { width, height, channels: 1, image: noise(height * width, 1) };
      expect((await predictProbability(model, prepared)).probability.length).toBe(height * width);
    }
    expect(
      await failure(() => predictProbability(model, { width: 16, height: 8, channels: 1, image: noise(128, 1) })),
    ).toBe(
      'InvalidArgumentError: The model was built for images of 8x12 (height x width). Received: 8x16. Resize by preprocessing: {size: [height, width], ...}, or build it with inputShape [null, null, 1].',
    );
    model.dispose();
  });

  it('refuses what it cannot read', async () => {
    const model = net();
    expect(
      await failure(() => predictProbability(model, { width: 2, height: 2, channels: 3, image: noise(12, 1) })),
    ).toBe(
      'InvalidArgumentError: The model takes images of 1 channel. Received: 3. Give its number of channels in preprocessing.',
    );
    model.dispose();
    const flat = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [4] })] });
    expect(
      await failure(() => predictProbability(flat, { width: 2, height: 2, channels: 1, image: noise(4, 1) })),
    ).toBe(
      'InvalidArgumentError: Prediction takes a model whose last output is [batch, height, width, classes] with at most 256 classes. Received: [null, 2].',
    );
    flat.dispose();
    const flattened = tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 4, inputShape: [4] }),
        tfl.layers.reshape({ targetShape: [2, 2, 1] }),
        tfl.layers.activation({ activation: 'sigmoid' }),
      ],
    });
    expect(
      await failure(() => predictProbability(flattened, { width: 2, height: 2, channels: 1, image: noise(4, 1) })),
    ).toBe(
      'InvalidArgumentError: Prediction takes a model with one image input [batch, height, width, channels]. Received: inputs [null, 4].',
    );
    flattened.dispose();
  });

  it('refuses values that are no probabilities', async () => {
    const linear = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ filters: 1, kernelSize: 1, inputShape: [null, null, 1], kernelInitializer: 'ones' }),
      ],
    });
    const image = (...values: number[]) => ({ width: 2, height: 1, channels: 1, image: Float32Array.from(values) });
    expect(await failure(() => predictProbability(linear, image(-2, 1.5)))).toBe(
      "InvalidArgumentError: The model predicts values from -2.00 to 1.50, but probabilities lie in [0, 1]. End it in a sigmoid or softmax, or name its last layer 'logits'.",
    );
    expect(await failure(() => predictProbability(linear, image(Number.NaN, 1)))).toBe(
      "InvalidArgumentError: 1 of the 2 values that the model predicts are not finite. Its weights are not finite (training diverged), or the image's values are not.",
    );
    expect((await predictProbability(linear, image(0, 1))).probability).toEqual(Float32Array.of(0, 1));
    linear.dispose();
  });
});

describeBackends('predictMask', () => {
  it('scales bytes from 0..255 for a model that does not say how', async () => {
    const model = net();
    const data = Uint8Array.from({ length: 64 }, (_, i) => i * 4);
    const scaled = { width: 8, height: 8, channels: 1, image: Float32Array.from(data, (v) => (v / 255) * 2 - 1) };
    const expected = await direct(model, scaled);
    const raster = { width: 8, height: 8, channels: 1, data };
    const tensor = tf.tensor3d(Array.from(data), [8, 8, 1], 'int32');
    const floats = tf.tensor3d(scaled.image, [8, 8, 1]);
    const before = tf.memory().numTensors;
    for (const result of [
      await predictMask(model, raster),
      await predictMask(model, { ...raster, channels: 3, data: Uint8Array.from([...data].flatMap((v) => [v, v, v])) }),
      await predictMask(model, tensor),
      await predictMask(model, floats, { preprocessing: 'none' }),
    ]) {
      expect(maxDifference(result.probability, expected)).toBeLessThan(1e-6);
      expect(result).toMatchObject({ width: 8, height: 8, threshold: 0.5, classes: ['background', 'foreground'] });
    }
    expect(tf.memory().numTensors).toBe(before);
    // The tensors are still the caller's.
    expect([tensor.isDisposed, floats.isDisposed]).toEqual([false, false]);
    tf.dispose([tensor, floats]);
    model.dispose();
  });

  it('takes scaling, threshold and names from the model, and less from it where the options say so', async () => {
    const model = patches();
    describeModel(model, {
      preprocessing: { channels: 1, size: null, intensity: { kind: 'range', low: 100, high: 300 } },
      classes: ['rest', 'lung'],
      threshold: 0.25,
    });
    // The network gives back its input, and [-1, 1] is cut to [0, 1].
    const raster = { width: 4, height: 1, channels: 1, data: Uint16Array.of(200, 224, 226, 300) };
    const result = await predictMask(model, raster);
    expect([...result.probability].map((p) => Number(p.toFixed(6)))).toEqual([0, 0.24, 0.26, 1]);
    expect([...result.mask]).toEqual([0, 0, 1, 1]);
    expect([result.threshold, result.classes]).toEqual([0.25, ['rest', 'lung']]);
    const lower = await predictMask(model, raster, { threshold: 0.2 });
    expect([[...lower.mask], lower.threshold]).toEqual([[0, 1, 1, 1], 0.2]);
    expect([...(await predictMask(model, raster, { threshold: 0 })).mask]).toEqual([1, 1, 1, 1]);
    const own = { channels: 1, size: null, intensity: { kind: 'minmax' } } as const;
    const scaled = await predictMask(model, raster, { preprocessing: own });
    expect([...scaled.probability].map((p) => Number(p.toFixed(6)))).toEqual([0, 0, 0, 1]);
    model.dispose();
  });

  it('refuses an image that is not of 8 bits where training saw bytes; pixels of a browser as int32 are bytes', async () => {
    const model = patches();
    describeModel(model, { preprocessing: { channels: 1, size: null, intensity: { kind: 'bytes' } } });
    const pixels = tf.tensor3d([0, 255], [1, 2, 1], 'int32');
    expect([...(await predictMask(model, pixels)).probability]).toEqual([0, 1]);
    pixels.dispose();
    const deep = { width: 2, height: 1, channels: 1, data: Uint16Array.of(12, 4000) };
    expect(await failure(() => predictMask(model, deep))).toMatch(
      /^DataError: The images of training were bytes, .* of Uint16Array, with values from 12 to 4000\./,
    );
    model.dispose();
  });

  it('resizes as in training, and the probabilities of every class back', async () => {
    const model = patches({ numClasses: 3 });
    describeModel(model, {
      preprocessing: { channels: 1, size: [1, 2], intensity: { kind: 'range', low: -1, high: 1 } },
      classes: ['a', 'b', 'c'],
    });
    // Left pixel -1: class 0; right pixel 1: class 2. Half-pixel centres put the four columns at 0, 1/4, 3/4, 1 between them.
    const image = { width: 4, height: 2, channels: 1, data: Float32Array.of(-1, -1, 1, 1, -1, -1, 1, 1) };
    const result = await predictMask(model, image);
    expect([result.width, result.height, result.threshold]).toEqual([4, 2, null]);
    const left = await predictProbability(model, { width: 1, height: 1, channels: 1, image: Float32Array.of(-1) });
    const right = await predictProbability(model, { width: 1, height: 1, channels: 1, image: Float32Array.of(1) });
    const mix = (u: number) =>
      [0, 1, 2].map((c) => (left.probability[c] ?? 0) * (1 - u) + (right.probability[c] ?? 0) * u);
    const row = [0, 0.25, 0.75, 1].flatMap(mix);
    expect(maxDifference(result.probability, [...row, ...row])).toBeLessThan(1e-6);
    expect([...result.mask]).toEqual([0, 0, 2, 2, 0, 0, 2, 2]);
    model.dispose();
  });

  it('reports its progress', async () => {
    const model = net();
    const reports: Progress[] = [];
    await predictMask(
      model,
      { width: 4, height: 4, channels: 1, data: new Uint8Array(16) },
      {
        onProgress: (report) => reports.push(report),
      },
    );
    expect(reports).toEqual([
      { status: 'predicting', done: 0, total: 1 },
      { status: 'predicting', done: 1, total: 1 },
    ]);
    model.dispose();
  });

  it('is aborted before and after the network runs', async () => {
    const model = net();
    const image = { width: 4, height: 4, channels: 1, data: new Uint8Array(16) };
    const reports: number[] = [];
    const onProgress = ({ done }: Progress) => reports.push(done);
    expect(
      await failure(() => predictMask(model, image, { signal: AbortSignal.abort(new Error('early')), onProgress })),
    ).toBe('Error: early');
    expect(reports).toEqual([]);
    const controller = new AbortController();
    const late = () => {
      const call = predictMask(model, image, { signal: controller.signal, onProgress });
      controller.abort(new Error('late'));
      return call;
    };
    expect(await failure(late)).toBe('Error: late');
    expect(reports).toEqual([0]);
    const during = new AbortController();
    const { predict, apply } = model;
    // A plan, on wasm, runs the model by `apply` to prove itself.
    model.predict = (...args) => {
      during.abort(new Error('during'));
      return predict.apply(model, args);
    };
    model.apply = (...args) => {
      during.abort(new Error('during'));
      return apply.apply(model, args);
    };
    expect(await failure(() => predictMask(model, image, { signal: during.signal, onProgress }))).toBe('Error: during');
    expect(reports).toEqual([0, 0]);
    model.dispose();
  });
});

describe('messages of predictMask', () => {
  const image = { width: 2, height: 2, channels: 1, data: new Uint8Array(4) };
  const refused: [string, () => tfl.LayersModel, models.UNetOptions | object, PredictOptions, string][] = [
    [
      'a threshold that is no probability',
      net,
      image,
      { threshold: 128 },
      'InvalidArgumentError: threshold must be a probability in [0, 1]. Received: 128.',
    ],
    [
      'a threshold that is no number',
      net,
      image,
      { threshold: Number.NaN },
      'InvalidArgumentError: threshold must be a probability in [0, 1]. Received: NaN.',
    ],
    [
      'a threshold for several classes',
      () => net({ numClasses: 3 }),
      image,
      { threshold: 0.5 },
      'InvalidArgumentError: The model has 3 classes, of which the most probable one is taken in each pixel. Received: threshold 0.5. Leave it out.',
    ],
    [
      'values of unknown units',
      net,
      { ...image, data: new Uint16Array(4) },
      {},
      "InvalidArgumentError: The model does not say how its images were scaled, and only bytes with 1 or 3 channels have a scale of their own. Received: Uint16Array with 1 channels for a model of 1. Pass preprocessing: {channels, size, intensity}, or 'none' for values that are scaled already.",
    ],
    [
      'a preprocessing of other channels',
      net,
      image,
      { preprocessing: { channels: 3, size: null, intensity: { kind: 'minmax' } } },
      'InvalidArgumentError: The model takes images of 1 channel. Received: 3. Give its number of channels in preprocessing.',
    ],
    [
      'unprepared channels',
      net,
      { width: 1, height: 1, channels: 2, data: new Float32Array(2) },
      { preprocessing: 'none' },
      'InvalidArgumentError: The model takes images of 1 channel. Received: 2. Give its number of channels in preprocessing.',
    ],
    [
      'a preprocessing without its intensity',
      net,
      image,
      JSON.parse('{"preprocessing": {"channels": 1, "size": null}}'),
      "InvalidArgumentError: preprocessing.intensity must be {kind: 'range', low, high} with low < high, {kind: 'bytes'} or {kind: 'minmax'}. Received: undefined.",
    ],
  ];
  it.each(refused)('refuses %s', async (_title, make, source, options, message) => {
    const model = make();
    expect(await failure(() => predictMask(model, source as typeof image, options))).toBe(message);
    model.dispose();
  });
});

describe('the mask', () => {
  it('decides a probability that is the threshold in float32 as the metrics do', async () => {
    const model = patches();
    // 0.7 as float32 is less than the 0.7 of a number in JavaScript.
    const raster = { width: 2, height: 1, channels: 1, data: Float32Array.of(0.7, 0.69) };
    const { mask, probability } = await predictMask(model, raster, { threshold: 0.7, preprocessing: 'none' });
    expect([...mask]).toEqual([1, 0]);
    const matrix = new ConfusionMatrix({ threshold: 0.7 });
    await matrix.update(mask, probability);
    expect(matrix.result().dice).toBe(1);
    model.dispose();
  });

  it('is the probability at or above the threshold, or the first most probable class, for images of any size', async () => {
    const [binary, classes] = [net({ widths: [2, 2] }), net({ widths: [2, 2], numClasses: 3 })];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 1000 }),
        async (height, width, threshold, seed) => {
          const source = { width, height, channels: 1, data: noise(width * height, seed) };
          const { mask, probability } = await predictMask(binary, source, { threshold, preprocessing: 'none' });
          expect(probability.length).toBe(width * height);
          expect([...mask]).toEqual([...probability].map((p) => (p >= Math.fround(threshold) ? 1 : 0)));
          const several = await predictMask(classes, source, { preprocessing: 'none' });
          expect([...several.mask]).toEqual(
            Array.from({ length: width * height }, (_, i) => {
              const of = [...several.probability.slice(i * 3, i * 3 + 3)];
              expect(of.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
              return of.indexOf(Math.max(...of));
            }),
          );
        },
      ),
      { numRuns: 30, seed: 1 },
    );
    binary.dispose();
    classes.dispose();
  });
});

describe('what is no model or no prepared image', () => {
  beforeAll(() => startBackend('cpu'));

  const takes =
    'predictProbability takes {width, height, channels, image}: image holds height * width * channels values as a Float32Array, scaled as in training. Received: ';

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    [{ width: 8, height: 8, channels: 1, data: new Uint8Array(64) }, 'an object of width, height, channels, data'],
  ])('is refused by predictProbability: %j', async (prepared, received) => {
    const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    await expect(predictProbability(model, prepared as never)).rejects.toThrow(
      `${takes}${received}. For an image as it was decoded call predictMask.`,
    );
    model.dispose();
  });

  it.each([
    [undefined, 'undefined'],
    [{ layers: [] }, 'an object of layers'],
  ])('is refused by predictMask: %j', async (model, received) => {
    const raster = { width: 8, height: 8, channels: 1, data: new Uint8Array(64) };
    await expect(predictMask(model as never, raster)).rejects.toThrow(
      `Prediction takes a model of TensorFlow.js's layers, or one of inference.optimizeForInference. Received: ${received}.`,
    );
  });
});
