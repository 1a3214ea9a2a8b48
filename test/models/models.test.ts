import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Dropout } from '../../src/layers/dropout.js';
import * as models from '../../src/models/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { describeBackends, startBackend } from '../backends.js';
import { cases, countWeights } from './pytorchSuite.js';

/** Small versions of the networks that every check here can afford. */
const NARROW: { readonly [Name in models.NetworkName]: models.NetworkConfigs[Name] } = {
  pyconvunet: { widths: [8, 16, 32] },
  unet: { widths: [4, 6, 8] },
  'unet++': { widths: [4, 6, 8] },
  'attention-unet': { widths: [4, 6, 8] },
  'resnet34-unet': { widths: [8, 8], blocksPerStage: [1, 1] },
  multiresunet: { widths: [4, 8, 8] },
  fcn8s: { widths: [4, 6, 8] },
};
const DIVISORS = {
  pyconvunet: 4,
  unet: 4,
  'unet++': 4,
  'attention-unet': 4,
  'resnet34-unet': 8,
  multiresunet: 4,
  fcn8s: 8,
};
const narrow = (name: models.NetworkName, options: models.NetworkOptions = {}) =>
  models.create(name, { seed: 1, ...NARROW[name], ...options });

const size = ({ shape }: { shape: (number | null)[] }) => shape.reduce<number>((product, d) => product * (d ?? 0), 1);

/** One SHA-256 over all weights in the order of the layers. */
async function fingerprint(model: tfl.LayersModel): Promise<string> {
  const hash = createHash('sha256');
  for (const weight of model.weights) {
    const values = await weight.read().data();
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}

/** The fingerprint of a model, which is disposed. */
async function fingerprintOnly(model: tfl.LayersModel): Promise<string> {
  const hash = await fingerprint(model);
  model.dispose();
  return hash;
}

/** Builds, looks, disposes. */
function look<T>(model: tfl.LayersModel, read: (model: tfl.LayersModel) => T): T {
  const result = read(model);
  model.dispose();
  return result;
}

async function saveAndLoad(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  let artifacts: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  // Through text, as a file would.
  const topology = JSON.parse(JSON.stringify(artifacts.modelTopology));
  return tfl.loadLayersModel(tf.io.fromMemory({ ...artifacts, modelTopology: topology }));
}

const predict = (model: tfl.LayersModel, x: tf.Tensor): tf.Tensor[] => [model.predict(x)].flat();

beforeAll(() => startBackend('cpu'));

describe('parameters for 3 channels, as the papers count them', () => {
  const wide = [64, 128, 256, 512, 1024];
  const widest = [128, 256, 512, 1024, 2048];
  const table = [
    ['unet', {}, 7_765_985, 5_888],
    ['unet', { widths: wide }, 31_043_521, 11_776],
    ['unet++', {}, 9_163_329, 7_296],
    ['unet++', { deepSupervision: true }, 9_163_329 + 99, 7_296],
    ['attention-unet', {}, 34_878_573, 15_624],
    ['resnet34-unet', {}, 21_656_897, 19_008],
    ['fcn8s', {}, 18_643_713, 1_984],
    ['multiresunet', {}, 7_238_228, 24_522],
    ['pyconvunet', {}, 4_096_801, 11_776],
    ['pyconvunet', { blocksPerStage: 2 }, 7_584_737, 23_552],
    ['pyconvunet', { widths: wide, expansion: 4 }, 4_238_865, 14_720],
    ['pyconvunet', { planes: wide.map((w) => w / 4), expansion: 4, groups: 'auto' }, 4_238_865, 14_720],
    ['pyconvunet', { widths: wide, planes: wide.map((w) => w / 4) }, 4_238_865, 14_720],
    ['pyconvunet', { widths: widest, expansion: 4, blocksPerStage: 2 }, 23_036_897, 58_880],
    ['pyconvunet', { block: 'direct' }, 5_389_985, 5_888],
    ['pyconvunet', { groups: [1, 4, 8, 16], split: [1 / 8, 1 / 8, 1 / 4, 1 / 2] }, 4_096_801, 11_776],
  ] as const;

  test.each(table)('%s %o: %i and %i', (name, options, trainable, statistics) => {
    const before = tf.memory().numTensors;
    const model = models.create(name, { ...options, seed: 0 } as models.NetworkConfigs[typeof name]);
    expect(countWeights(model.trainableWeights)).toBe(trainable);
    expect(countWeights(model.nonTrainableWeights)).toBe(statistics);
    expect(model.countParams()).toBe(trainable + statistics);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('PyTorch counts the same', () => {
    const byPyTorch = cases.filter(({ training }) => training === undefined);
    expect(byPyTorch.length).toBe(13);
    for (const { network, options, trainable, movingStatistics } of byPyTorch) {
      expect(table).toContainEqual([network, options, trainable, movingStatistics]);
    }
  });

  test("Duta's own split and other pyramids are reachable", () => {
    const count = (options: models.PyConvUNetOptions) =>
      look(models.pyConvUNet({ widths: [64, 128], ...options }), (model) => countWeights(model.trainableWeights));
    // Level by level: a pyramid's parameters are the sum of k k planes / groups * filters.
    const pyramid = (planes: number, k: number[], g: number[], split: number[]) =>
      k.reduce((sum, size, i) => sum + ((size * size * planes) / (g[i] ?? 0)) * planes * (split[i] ?? 0), 0);
    const stages = [64, 128, 64];
    const sum = (...of: [number[], number[], number[]]) =>
      stages.reduce((all, planes) => all + pyramid(planes, ...of), 0);
    const standard = sum([3, 5, 7, 9], [1, 4, 8, 16], [1 / 8, 1 / 8, 1 / 4, 1 / 2]);
    const quarter = [1 / 4, 1 / 4, 1 / 4, 1 / 4];
    expect(count({ split: quarter }) - count({})).toBe(sum([3, 5, 7, 9], [1, 4, 8, 16], quarter) - standard);
    expect(count({ kernelSizes: [3, 5] }) - count({})).toBe(sum([3, 5], [1, 4], [1 / 2, 1 / 2]) - standard);
    expect(count({ groups: [2, 2, 2, 2] }) - count({})).toBe(
      sum([3, 5, 7, 9], [2, 2, 2, 2], [1 / 8, 1 / 8, 1 / 4, 1 / 2]) - standard,
    );
  });
});

describe('names', () => {
  test('create builds every name, and lists them for another', () => {
    expect(models.names).toEqual(Object.keys(NARROW));
    for (const name of models.names) look(narrow(name), (model) => expect(model.layers.length).toBeGreaterThan(10));
    expect(() => models.create('segnet' as models.NetworkName)).toThrow(
      new InvalidArgumentError(
        "There is no network 'segnet'. Choose one of: pyconvunet, unet, unet++, attention-unet, resnet34-unet, multiresunet, fcn8s.",
      ),
    );
    expect(models.isNetworkName('toString')).toBe(false);
  });

  test.each(models.names)('%s: layers and weights are legal names, the same in every model', (name) => {
    const [first, second] = [narrow(name), narrow(name)];
    const read = (model: tfl.LayersModel) => [
      model.name,
      ...model.layers.map((layer) => layer.name),
      ...model.weights.map((weight) => weight.originalName),
    ];
    expect(read(first)).toEqual(read(second));
    for (const each of read(first)) expect(each).toMatch(/^[A-Za-z0-9][-A-Za-z0-9._/]*$/);
    const layers = first.layers.map((layer) => layer.name);
    expect(layers.slice(0, 2)).toEqual(['input', 'size']);
    expect(layers.slice(-2)).toEqual(['logits', 'probability']);
    first.dispose();
    second.dispose();
  });

  test('the layers of the pyramidal network', () => {
    const names = look(narrow('pyconvunet'), (model) => model.layers.map((layer) => layer.name));
    for (const name of ['encoder1/pyconv', 'encoder3/reduce', 'encoder1/pool', 'decoder2/up', 'decoder1/concat']) {
      expect(names).toContain(name);
    }
  });

  test('a model takes the name it is given', () => {
    expect(look(narrow('unet', { name: 'lung' }), (model) => model.name)).toBe('lung');
  });
});

describe('heads', () => {
  test.each(models.names)('%s: sigmoid of the logits, or softmax', (name) => {
    tf.tidy(() => {
      const x = tf.randomUniform([1, 16, 16, 3], -1, 1, 'float32', 5);
      const raw = predict(narrow(name, { head: 'logits' }), x)[0] as tf.Tensor;
      const [one] = predict(narrow(name), x);
      expect([...(one?.dataSync() ?? [])]).toEqual([...tf.sigmoid(raw).dataSync()]);
      const three = predict(narrow(name, { numClasses: 3 }), x)[0] as tf.Tensor;
      expect(three.shape).toEqual([1, 16, 16, 3]);
      for (const sum of tf.sum(three, 3).dataSync()) expect(sum).toBeCloseTo(1, 5);
    });
  });

  test('logits(model) are the maps before the activations, the prediction last', () => {
    const depth4 = { widths: [4, 4, 4, 4], deepSupervision: true };
    const model = models.uNetPlusPlus(depth4);
    const layers = (maps: tfl.SymbolicTensor[]) => maps.map((map) => map.sourceLayer.name);
    expect(layers(models.logits(model))).toEqual(['logits1', 'logits2', 'logits']);
    expect(layers(model.outputs)).toEqual(['probability1', 'probability2', 'probability']);
    expect(look(narrow('unet', { head: 'logits' }), (unet) => layers(models.logits(unet)))).toEqual(['logits']);
    model.dispose();
    const other = tfl.sequential({ name: 'other', layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });
    expect(() => models.logits(other)).toThrow(
      new InvalidArgumentError("The model 'other' has no layer named 'logits'. Pass a network of this package."),
    );
    expect(models.divisor(other)).toBe(1);
    other.dispose();
  });
});

describe('sizes', () => {
  test.each(models.names)('%s takes every multiple of its divisor and refuses the rest', (name) => {
    const model = narrow(name);
    const divisor = DIVISORS[name];
    expect(models.divisor(model)).toBe(divisor);
    const factor = fc.integer({ min: 1, max: 3 });
    const rest = fc.integer({ min: 0, max: divisor - 1 });
    fc.assert(
      fc.property(factor, factor, rest, rest, (rows, columns, moreRows, moreColumns) => {
        const shape = [1, rows * divisor + moreRows, columns * divisor + moreColumns, 3];
        tf.tidy(() => {
          const run = () => predict(model, tf.zeros(shape)).map((map) => map.shape);
          if (moreRows === 0 && moreColumns === 0) expect(run()).toEqual([[...shape.slice(0, 3), 1]]);
          else expect(run).toThrow(InvalidArgumentError);
        });
      }),
      {
        numRuns: 12,
        seed: 3,
        examples: [
          [1, 2, 0, 0],
          [1, 1, 0, divisor - 1],
        ],
      },
    );
    model.dispose();
  });

  test('the message names the divisor and the nearest sizes, from predict, at construction and from a loaded model', async () => {
    const message =
      'PyConvU-Net needs height and width that are multiples of 4. Received: 30x33. Pad, crop or resize the image to a legal size (height x width): the nearest are 28x32 and 32x36.';
    const model = narrow('pyconvunet');
    const loaded = await saveAndLoad(model);
    for (const each of [model, loaded]) {
      tf.tidy(() => {
        const x = tf.zeros([1, 30, 33, 3]);
        const before = tf.memory().numTensors;
        expect(() => each.predict(x)).toThrow(new InvalidArgumentError(message));
        expect(tf.memory().numTensors).toBe(before);
      });
    }
    model.dispose();
    loaded.dispose();
    expect(() => narrow('pyconvunet', { inputShape: [30, 33, 1] })).toThrow(new InvalidArgumentError(message));
    expect(() => models.resNet34UNet({ inputShape: [100, null, 3] })).toThrow(
      'ResNet34-UNet needs height and width that are multiples of 32. Received: 100xany. Pad, crop or resize the image to a legal size (height x width): the nearest are 96xany and 128xany.',
    );
    expect(() => models.fcn8s({ inputShape: [20, 32, 3] })).toThrow('the nearest is 32x32');
  });
});

describe('saved and loaded models', () => {
  test.each(models.names)('%s predicts the same', async (name) => {
    const before = tf.memory().numTensors;
    const model = narrow(name, { dropout: 0.25 });
    const loaded = await saveAndLoad(model);
    tf.tidy(() => {
      const x = tf.randomUniform([2, 16, 24, 3], -1, 1, 'float32', 7);
      const values = (m: tfl.LayersModel) => predict(m, x).flatMap((map) => [...map.dataSync()]);
      expect(values(loaded)).toEqual(values(model));
    });
    expect(await fingerprint(loaded)).toBe(await fingerprint(model));
    expect(models.divisor(loaded)).toBe(models.divisor(model));
    model.dispose();
    loaded.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describeBackends('one SHA-256 over all weights on every backend', () => {
  test('the same seed gives the same weights, 0 included', async () => {
    const hashes: Partial<Record<models.NetworkName, string>> = {};
    for (const name of models.names) hashes[name] = await fingerprintOnly(narrow(name, { seed: 0 }));
    expect(hashes).toMatchInlineSnapshot(`
      {
        "attention-unet": "d33c5d45023df27191e890ec972c7ef9b21f7e78d6b6010986f5777cda604a72",
        "fcn8s": "81b36c3b2058f51effd2e4e80580bd742b0b2b46da410695a4418886d2161359",
        "multiresunet": "2f35ba0efd1e37036cb16fa3f4416dc0e067a4a14d3617fa2671b38092d7e4f4",
        "pyconvunet": "21f22f2882a10f28ac1d1d30dc39e7f85b77ad65330367816ee4287078065e8c",
        "resnet34-unet": "a5193436206b1dd0bde87952d45d4d0f07cc437237bf1986e55576ef38b0fc26",
        "unet": "4d2489944c47dc7f68ab27202e00b2a13599af620520197068d387b56382a575",
        "unet++": "d45bb49a5622a8b0809a0738ab4273ab3473d1f24d84f96caf774477069d30c4",
      }
    `);
  });
});

describe('initial weights', () => {
  test('another seed, and no seed, give other weights', async () => {
    const seeded = [0, 1, 2 ** 40, -1].map((seed) => narrow('unet', { seed }));
    const unset = [0, 1].map(() => models.uNet({ widths: [4, 6, 8] }));
    const hashes = await Promise.all([...seeded, ...unset].map(fingerprintOnly));
    expect(new Set(hashes).size).toBe(6);
  });

  test.each(models.names)('%s: kernels are uniform within 1 / sqrt(fanIn), no two alike, biases zero', (name) => {
    const model = narrow(name, { seed: 0 });
    const seen = new Map<string, string>();
    for (const weight of model.weights) {
      const values = weight.read().dataSync();
      const part = weight.originalName.slice(weight.originalName.lastIndexOf('/') + 1);
      if (part === 'bias' || part === 'beta' || part === 'moving_mean') expect(new Set(values)).toEqual(new Set([0]));
      if (part === 'gamma' || part === 'moving_variance') expect(new Set(values)).toEqual(new Set([1]));
      if (part !== 'kernel') continue;
      // [k, k, channels / groups, filters]; of a transposed convolution [k, k, filters, channels]: PyTorch counts alike.
      const bound = 1 / Math.sqrt(size(weight) / (weight.shape[3] ?? 1));
      const scaled = Array.from(values, (value) => value / bound);
      expect(Math.max(...scaled.map(Math.abs))).toBeLessThanOrEqual(1 + 1e-6);
      if (values.length >= 500) {
        expect(scaled.reduce((a, b) => a + b, 0) / scaled.length).toBeCloseTo(0, 0);
        expect(Math.sqrt(scaled.reduce((a, b) => a + b * b, 0) / scaled.length)).toBeCloseTo(1 / Math.sqrt(3), 1);
      }
      // The stream itself, whatever the bound: levels of one pyramid have different shapes.
      const stream = scaled
        .slice(0, 4)
        .map((value) => value.toFixed(4))
        .join();
      expect(seen.get(stream), `${weight.originalName} starts like`).toBe(undefined);
      seen.set(stream, weight.originalName);
    }
    expect(seen.size).toBeGreaterThan(10);
    model.dispose();
  });
});

describe('dropout', () => {
  test.each(models.names)('%s drops at its deepest stage in training alone', (name) => {
    tf.tidy(() => {
      const x = tf.randomUniform([2, 32, 32, 3], -1, 1, 'float32', 9);
      const model = narrow(name, { dropout: 0.5 });
      const [a, b] = [0, 1].map(() => [...(predict(model, x)[0]?.dataSync() ?? [])]);
      expect(a).toEqual(b);
      const layer = model.getLayer('dropout');
      if (!(layer instanceof Dropout)) throw new Error('The layer is no Dropout.');
      const step = () => [...([model.apply(x, { training: true })].flat()[0] as tf.Tensor).dataSync()];
      const [first, second] = [step(), step()];
      expect(layer.calls).toBe(2);
      expect(first).not.toEqual(second);
      layer.calls = 0;
      expect(step()).toEqual(first);
      model.dispose();
    });
    expect(look(narrow(name), (model) => model.layers.some((layer) => layer instanceof Dropout))).toBe(false);
  });
});

describe('illegal options', () => {
  const illegal: [() => unknown, string][] = [
    [
      () => models.uNet({ widths: [8] }),
      'widths of U-Net must hold at least two positive whole numbers, one for each stage from the full resolution down. Received: widths=[8].',
    ],
    [() => models.uNet({ widths: [8, 0] }), 'Received: widths=[8,0].'],
    [
      () => models.uNet({ numClasses: 0 }),
      'numClasses of U-Net must be 1 (foreground against background) or the number of classes. Received: numClasses=0.',
    ],
    [
      () => models.uNet({ head: 'softmax' as 'logits' }),
      "head of U-Net must be 'probabilities' or 'logits'. Received: head=\"softmax\".",
    ],
    [() => models.uNet({ dropout: 1 }), 'dropout of U-Net must be in [0, 1). Received: dropout=1.'],
    [() => models.uNet({ seed: 0.5 }), 'A seed must be an integer (0 is legal). Received: 0.5.'],
    [
      () => models.uNet({ inputShape: [64, 64] as unknown as [64, 64, 3] }),
      'inputShape of U-Net must be [height, width, channels], where height and width may be null. Received: inputShape=[64,64].',
    ],
    [() => models.uNet({ inputShape: [64, 64, 0] }), 'Received: inputShape=[64,64,0].'],
    [
      () => models.create('unet', { kernelSizes: [3] } as models.UNetOptions),
      "U-Net has no option 'kernelSizes'. Its options are inputShape, widths, numClasses, head, dropout, seed, name.",
    ],
    [
      () => models.resNet34UNet({ blocksPerStage: [1, 2] }),
      'blocksPerStage of ResNet34-UNet must hold 4 positive whole numbers, one for each stage from the full resolution down. Received: blocksPerStage=[1,2].',
    ],
    [
      () => models.multiResUNet({ widths: [2, 4] }),
      'Received: alpha=1.67, width=2. Use widths of at least 4 or a larger alpha.',
    ],
    [
      () => models.pyConvUNet({ block: 'dense' as 'direct' }),
      "block of PyConvU-Net must be 'bottleneck' or 'direct'. Received: block=\"dense\".",
    ],
    [
      () => models.pyConvUNet({ block: 'direct', expansion: 4 }),
      "planes and expansion of PyConvU-Net belong to bottlenecks. Received: block='direct'.",
    ],
    [
      () => models.pyConvUNet({ blocksPerStage: 0 }),
      'blocksPerStage of PyConvU-Net must be a positive whole number. Received: blocksPerStage=0.',
    ],
    [
      () => models.pyConvUNet({ expansion: 1.5 }),
      'expansion of PyConvU-Net must be a positive whole number. Received: expansion=1.5.',
    ],
    [
      () => models.pyConvUNet({ widths: [8, 18], expansion: 4 }),
      'Received: widths=[8, 18], expansion=4. Choose widths that are multiples of 4, or give planes.',
    ],
    [
      () => models.pyConvUNet({ widths: [8, 16], planes: [8] }),
      'planes of PyConvU-Net must hold 2 positive whole numbers',
    ],
    [
      () => models.pyConvUNet({ widths: [8, 16], planes: [8, 16], expansion: 2 }),
      "PyConvU-Net's widths are planes * expansion. Received: widths=[8, 16], planes=[8, 16], expansion=2. Leave out one of the three.",
    ],
    [
      () => models.pyConvUNet({ widths: [16, 32], groups: [1, 4, 8, 16] }),
      'The groups of level 2 must be a positive whole number that divides both its input channels and its filters. Received: groups=4, inputChannels=16, filters=2.',
    ],
  ];
  test.each(illegal.map(([build, message]) => [message, build] as const))('%s', (message, build) => {
    const before = tf.memory().numTensors;
    expect(build).toThrow(InvalidArgumentError);
    expect(build).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });
});
