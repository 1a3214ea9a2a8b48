/** optimizeForInference: the same predictions as the model's own, what it refuses and says, memory and weights. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type OptimizedModel,
  type OptimizeOptions,
  optimizeForInference,
  predictMask,
  predictProbability,
} from '../../src/inference/index.js';
import * as models from '../../src/models/index.js';
import { startBackend } from '../backends.js';
import { noise } from '../inference/models.js';
import { fill } from '../models/formula.js';

const image = (shape: [number, number, number, number], seed = 1): tf.Tensor4D =>
  tf.tensor4d(noise(shape[0] * shape[1] * shape[2] * shape[3], seed), shape);

interface Predictor {
  predict(x: tf.Tensor4D): tf.Tensor | tf.Tensor[];
}

/** Values and shapes of all outputs; leaves no tensor. */
function outputsOf(predictor: Predictor, x: tf.Tensor4D): { shape: number[]; values: Float32Array }[] {
  return tf.tidy(() =>
    [predictor.predict(x)].flat().map((y) => ({ shape: y.shape, values: Float32Array.from(y.dataSync()) })),
  );
}

/** Largest difference of any value, infinite where one side is not a number. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => {
    const d = Math.abs(value - (b[i] ?? Number.NaN));
    return d <= most ? most : Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
  }, 0);
}

/** What two ways of summing in float32 may differ by. */
const CLOSE = 2e-5;

/** The same shapes and, up to rounding, values. */
function expectSame(actual: Predictor, expected: Predictor, x: tf.Tensor4D): void {
  const wanted = outputsOf(expected, x);
  const outputs = outputsOf(actual, x);
  expect(outputs.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
  for (const [i, { values }] of outputs.entries()) {
    const reference = wanted[i]?.values ?? new Float32Array(0);
    const largest = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    expect(difference(values, reference) / largest).toBeLessThan(CLOSE);
  }
}

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (error instanceof Error) return `${error.name}: ${error.message}`;
  }
  return 'nothing was thrown';
}

/** A model of one chain of layers. */
const chain = (layers: tfl.layers.Layer[]): tfl.LayersModel => {
  const model = tfl.sequential({ layers });
  fill(model);
  return model;
};

const conv = (filters: number, options: Partial<Parameters<typeof tfl.layers.conv2d>[0]> = {}) =>
  tfl.layers.conv2d({ filters, kernelSize: 3, padding: 'same', ...options });

const free = { inputShape: [null, null, 2] };

/** Writes into a weight. */
function assign(model: tfl.LayersModel, index: number, value: (before: tf.Tensor) => tf.Tensor): void {
  const weight = model.weights[index];
  if (weight === undefined) throw new Error(`The model has no weight ${index}.`);
  tf.tidy(() => {
    weight.write(value(weight.read()));
  });
}

const base = { widths: [4, 6, 8], inputShape: [null, null, 3] as [null, null, number], seed: 3 };

describe('predict', () => {
  beforeAll(async () => {
    await startBackend('wasm');
  });

  const networks: [string, () => tfl.LayersModel][] = [
    ['PyConvU-Net', () => models.pyConvUNet({ ...base, widths: [8, 16] })],
    ['U-Net of three classes', () => models.uNet({ ...base, numClasses: 3 })],
    ['U-Net of logits', () => models.uNet({ ...base, head: 'logits' })],
    ['U-Net of logits of three classes', () => models.uNet({ ...base, head: 'logits', numClasses: 3 })],
    ['U-Net++ of several outputs', () => models.uNetPlusPlus({ ...base, deepSupervision: true })],
    ['Attention U-Net', () => models.attentionUNet(base)],
    ['MultiResUNet', () => models.multiResUNet({ ...base, widths: [8, 16] })],
  ];

  it.each(networks)('of %s is the model’s for batches and sizes by turns', async (_, make) => {
    const model = make();
    fill(model);
    const before = tf.memory().numTensors;
    const optimized = await optimizeForInference(model);
    expect(optimized.reason).toBeNull();
    expect(optimized.difference).toBeLessThan(CLOSE);
    expect(['relaxed', 'simd128']).toContain(optimized.simd);
    const shapes: [number, number, number, number][] = [
      [1, 16, 20, 3],
      [3, 12, 8, 3],
      [1, 4, 4, 3],
      [3, 16, 20, 3],
      [1, 12, 8, 3],
    ];
    for (const [i, shape] of shapes.entries()) {
      const x = image(shape, i);
      expectSame(optimized, model, x);
      x.dispose();
    }
    optimized.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('takes the same values again after an image of another size', async () => {
    const model = models.pyConvUNet({ ...base, widths: [8, 16] });
    fill(model);
    const optimized = await optimizeForInference(model);
    const [small, large] = [image([1, 6, 10, 3]), image([1, 26, 14, 3], 2)];
    const first = outputsOf(optimized, small);
    const other = outputsOf(optimized, large);
    expect(outputsOf(optimized, small)).toEqual(first);
    expect(outputsOf(optimized, large)).toEqual(other);
    tf.dispose([small, large]);
    optimized.dispose();
    model.dispose();
  });

  it('is nearer to the model in exact precision', async () => {
    const model = models.uNet(base);
    fill(model);
    const fast = await optimizeForInference(model, { precision: 'fast' });
    const exact = await optimizeForInference(model, { precision: 'exact' });
    expect(exact.difference).toBeLessThan(2e-6);
    expect(fast.difference).toBeGreaterThan(exact.difference ?? Number.NaN);
    for (const optimized of [fast, exact]) optimized.dispose();
    model.dispose();
  });

  it('of a layer that is applied twice, in maps of different size', async () => {
    const input = tfl.input({ shape: [null, null, 4] });
    const shared = conv(4, { activation: 'relu' });
    const norm = tfl.layers.batchNormalization({ axis: -1 });
    const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) =>
      layer.apply(x) as tfl.SymbolicTensor;
    const once = apply(norm, apply(shared, input));
    const half = apply(tfl.layers.maxPooling2d({ poolSize: 2 }), once);
    const twice = apply(norm, apply(shared, half));
    const output = apply(tfl.layers.add(), [apply(tfl.layers.upSampling2d({ size: [2, 2] }), twice), once]);
    const model = tfl.model({ inputs: input, outputs: [output, half] });
    fill(model);
    const optimized = await optimizeForInference(model);
    expect(optimized.reason).toBeNull();
    const x = image([2, 8, 6, 4]);
    expectSame(optimized, model, x);
    x.dispose();
    optimized.dispose();
    model.dispose();
  });

  it('of a model in a model, applied twice', async () => {
    const inner = chain([conv(2, { ...free, name: 'same', activation: 'relu' }), tfl.layers.batchNormalization()]);
    const input = tfl.input({ shape: [null, null, 2] });
    const own = conv(2, { name: 'same' }).apply(inner.apply(input));
    const outer = tfl.model({ inputs: input, outputs: inner.apply(own) as tfl.SymbolicTensor });
    fill(outer);
    const optimized = await optimizeForInference(outer);
    expect(optimized.reason).toBeNull();
    const x = image([1, 9, 7, 2]);
    expectSame(optimized, outer, x);
    x.dispose();
    optimized.dispose();
    outer.dispose();
  });

  it('of a model in a model that bears the name of a layer outside', async () => {
    const inner = tfl.sequential({ name: 'block', layers: [conv(2, { ...free, name: 'conv' })] });
    const input = tfl.input({ shape: [null, null, 2] });
    const output = conv(2, { name: 'block/conv' }).apply(inner.apply(input)) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: output });
    const optimized = await optimizeForInference(model);
    expect(optimized.reason).toBeNull();
    const x = image([1, 9, 7, 2]);
    expectSame(optimized, model, x);
    x.dispose();
    optimized.dispose();
    model.dispose();
  });

  /** A model of one kind of output that few networks have. */
  function rare(kind: string): tfl.LayersModel {
    const input = tfl.input({ shape: [null, null, 2] });
    const map = (filters: number) => conv(filters).apply(input) as tfl.SymbolicTensor;
    const apply = (layer: tfl.layers.Layer, maps: tfl.SymbolicTensor | tfl.SymbolicTensor[]) =>
      layer.apply(maps) as tfl.SymbolicTensor;
    const outputs: Record<string, () => tfl.SymbolicTensor | tfl.SymbolicTensor[]> = {
      'a concatenation': () => apply(tfl.layers.concatenate(), [input, map(3)]),
      'the softmax of a concatenation': () =>
        apply(tfl.layers.softmax({ axis: 3 }), apply(tfl.layers.concatenate(), [map(1), map(3)])),
      'a product of three maps': () => apply(tfl.layers.multiply(), [map(3), map(3), map(3)]),
      'a sum of two maps of one channel and one of more': () => apply(tfl.layers.add(), [map(1), map(1), map(3)]),
      'a product with one channel': () => apply(tfl.layers.multiply(), [map(1), map(3)]),
      'its image and an activation of it': () => [input, apply(tfl.layers.reLU(), input)],
    };
    const model = tfl.model({ inputs: input, outputs: outputs[kind]?.() ?? input });
    fill(model);
    return model;
  }

  it.each([
    'a concatenation',
    'the softmax of a concatenation',
    'a product of three maps',
    'a sum of two maps of one channel and one of more',
    'a product with one channel',
    'its image and an activation of it',
  ])('of a model whose output is %s, planned or not', async (kind) => {
    const model = rare(kind);
    const optimized = await optimizeForInference(model);
    const x = image([2, 9, 7, 2]);
    expectSame(optimized, model, x);
    x.dispose();
    optimized.dispose();
    model.dispose();
  });

  it('computes what is not a number from weights that are none', async () => {
    const model = chain([conv(3, { ...free, activation: 'relu' }), tfl.layers.batchNormalization(), tfl.layers.reLU()]);
    assign(model, 0, (kernel) => tf.mul(kernel, Number.NaN));
    const optimized = await optimizeForInference(model);
    const x = image([1, 8, 8, 2]);
    const [output] = outputsOf(optimized, x);
    expect(optimized.reason).toBeNull();
    expect(output?.values.every(Number.isNaN)).toBe(true);
    x.dispose();
    optimized.dispose();
    model.dispose();
  });

  it('forgets what is not a number with the image that held it', async () => {
    const model = models.pyConvUNet({ ...base, widths: [8, 16], head: 'logits' });
    fill(model);
    const optimized = await optimizeForInference(model);
    const x = image([1, 14, 10, 3]);
    const none = tf.tidy(() => tf.mul<tf.Tensor4D>(x, Number.NaN));
    const expected = outputsOf(optimized, x);
    expect(outputsOf(optimized, none)[0]?.values.every(Number.isNaN)).toBe(true);
    expect(outputsOf(optimized, x)).toEqual(expected);
    tf.dispose([x, none]);
    optimized.dispose();
    model.dispose();
  });

  it('throws OutOfMemoryError for an image that does not fit, and goes on with smaller ones', async () => {
    const model = chain([conv(512, { inputShape: [null, null, 1], activation: 'relu' }), conv(1, { kernelSize: 1 })]);
    const optimized = await optimizeForInference(model);
    expect(optimized.reason).toBeNull();
    const [large, small] = [tf.zeros<tf.Rank.R4>([1, 1500, 1500, 1]), image([1, 16, 16, 1])];
    const expected = outputsOf(optimized, small);
    const { bytes } = optimized;
    const before = tf.memory().numTensors;
    for (let time = 0; time < 2; time++) {
      const message = await messageOf(() => optimized.predict(large));
      expect(message).toMatch(
        /^OutOfMemoryError: An image of 1500x1500 does not fit\. The planned engine could not get (\d+) MB more; its memory holds \d+ MB and ends at 4096 MB\. Use a smaller image or batch\.$/,
      );
      expect(Number(/get (\d+) MB/.exec(message)?.[1])).toBeGreaterThan(4000);
    }
    expect(optimized.bytes).toBe(bytes);
    expect(tf.memory().numTensors).toBe(before);
    expect(outputsOf(optimized, small)).toEqual(expected);
    const other = image([1, 9, 20, 1]);
    expectSame(optimized, model, other);
    tf.dispose([large, small, other]);
    optimized.dispose();
    model.dispose();
  });

  it('does not run out of memory by the number of sizes', async () => {
    const { Memory } = WebAssembly;
    const most = 128;
    // As if the memory ended at 8 MB.
    class SmallMemory extends Memory {
      override grow(pages: number): number {
        if (this.buffer.byteLength / 65536 + pages > most) throw new RangeError('Maximum memory size exceeded');
        return super.grow(pages);
      }
    }
    const model = chain([conv(16, { inputShape: [null, null, 1] }), conv(1, { kernelSize: 1 })]);
    WebAssembly.Memory = SmallMemory;
    const optimized = await optimizeForInference(model).finally(() => {
      WebAssembly.Memory = Memory;
    });
    expect(optimized.reason).toBeNull();
    for (let width = 80; width < 100; width++) {
      // About 1 MB each.
      const x = image([1, 96, width, 1]);
      expectSame(optimized, model, x);
      x.dispose();
    }
    optimized.dispose();
    model.dispose();
  });
});

/** A layer that no plan knows. */
class Twice extends tfl.layers.Layer {
  static readonly className: string = 'Twice';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x = tf.scalar(0)] = [inputs].flat();
    return tf.mul(x, 2);
  }
}

describe('a layer that no rule covers', () => {
  beforeAll(() => startBackend('wasm'));

  const channelsFirst = { inputShape: [3, 32, 32], dataFormat: 'channelsFirst' as const, name: 'first' };
  const layers: [string, () => tfl.layers.Layer[], [number, number, number, number]][] = [
    [
      "layer 'twice' (Twice) has no rule in the plan",
      () => [conv(2, free), new Twice({ name: 'twice' })],
      [1, 9, 8, 2],
    ],
    ["layer 'first' (Conv2D) has channels first", () => [conv(2, channelsFirst)], [1, 3, 32, 32]],
    [
      "layer 'leaky' (LeakyReLU) has no rule in the plan",
      () => [conv(2, free), tfl.layers.leakyReLU({ name: 'leaky' })],
      [2, 9, 8, 2],
    ],
    [
      'layer \'tanh\' (Conv2D) has the activation "tanh"',
      () => [conv(2, { ...free, activation: 'tanh', name: 'tanh' })],
      [1, 9, 8, 2],
    ],
    [
      "layer 'limited' (ReLU) is limited to 6",
      () => [conv(2, free), tfl.layers.reLU({ maxValue: 6, name: 'limited' })],
      [1, 9, 8, 2],
    ],
    [
      "layer 'mean' (AveragePooling2D) has no rule in the plan",
      () => [conv(2, free), tfl.layers.averagePooling2d({ poolSize: 2, name: 'mean' })],
      [1, 8, 8, 2],
    ],
    [
      "layer 'smooth' (UpSampling2D) interpolates bilinear",
      () => [conv(2, free), tfl.layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear', name: 'smooth' })],
      [1, 8, 8, 2],
    ],
  ];

  it.each(layers)('is named: %s', async (reason, make, shape) => {
    const model = chain(make());
    const before = tf.memory().numTensors;
    const optimized = await optimizeForInference(model);
    expect(optimized.reason).toBe(reason);
    expect([optimized.simd, optimized.bytes, optimized.difference]).toEqual([null, 0, null]);
    const x = image(shape);
    expectSame(optimized, model, x);
    x.dispose();
    optimized.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('in a model in a model is named with both', async () => {
    const inner = tfl.sequential({ name: 'inner', layers: [conv(2, free), new Twice({ name: 'twice' })] });
    const input = tfl.input({ shape: [null, null, 2] });
    const model = tfl.model({ inputs: input, outputs: inner.apply(input) as tfl.SymbolicTensor });
    const { reason } = await optimizeForInference(model);
    expect(reason).toBe("layer 'inner/twice' (Twice) has no rule in the plan");
    model.dispose();
  });
});

describe('a model that takes no image of 32x32', () => {
  beforeAll(() => startBackend('wasm'));

  const pooled = (times: number, options: { readonly padding: 'same' | 'valid' }) => [
    conv(2, free),
    ...Array.from({ length: times }, () => tfl.layers.maxPooling2d({ poolSize: 2, ...options })),
  ];
  /** Skips from the first map to one that comes back by as many enlargements. */
  function withSkip(times: number): tfl.LayersModel {
    const input = tfl.input({ shape: [null, null, 2] });
    const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) =>
      layer.apply(x) as tfl.SymbolicTensor;
    const [first, ...poolings] = pooled(times, { padding: 'same' });
    if (first === undefined) throw new Error('There is a first layer.');
    const skip = apply(first, input);
    let x = poolings.reduce((y, layer) => apply(layer, y), skip);
    for (const _ of poolings) x = apply(tfl.layers.upSampling2d({ size: [2, 2] }), x);
    const model = tfl.model({ inputs: input, outputs: apply(tfl.layers.add(), [x, skip]) });
    fill(model);
    return model;
  }

  const valid = Array.from({ length: 16 }, (_, i) => conv(2, { padding: 'valid', ...(i === 0 ? free : {}) }));
  const cropped = [conv(2, { inputShape: [48, 48, 2] }), tfl.layers.cropping2D({ cropping: 20 })];
  it.each([
    ['by poolings', () => chain(pooled(6, { padding: 'valid' })), 64],
    [
      'by poolings, of one size',
      () => chain([conv(2, { inputShape: [96, 96, 2] }), ...pooled(6, { padding: 'valid' }).slice(1)]),
      96,
    ],
    ['by a skip', () => withSkip(6), 128],
    ['by convolutions without padding', () => chain(valid), 40],
    ['by a crop, of one size', () => chain(cropped), 48],
  ])('is proved on a larger one: %s', async (_, make, side) => {
    const model = make();
    const optimized = await optimizeForInference(model);
    expect(optimized.reason).toBeNull();
    const x = image([1, side, side, 2]);
    expectSame(optimized, model, x);
    x.dispose();
    optimized.dispose();
    model.dispose();
  });

  it('nor any larger one runs layer by layer, and says why', async () => {
    for (const [model, reason] of [
      [
        chain(pooled(10, { padding: 'valid' })),
        /^layer 'max_pooling2d\w*' \(MaxPooling2D\) works on the shape \[1, 0, 0, 2\]$/,
      ],
      [
        withSkip(10),
        /^the model takes no image of 512x512 \(Operands could not be broadcast together with shapes .+\)$/,
      ],
    ] as const) {
      const before = tf.memory().numTensors;
      const optimized = await optimizeForInference(model);
      expect(optimized.reason).toMatch(reason);
      expect(tf.memory().numTensors).toBe(before);
      optimized.dispose();
      model.dispose();
    }
  });
});

describe('what is illegal', () => {
  beforeAll(() => startBackend('wasm'));

  it('options', async () => {
    const model = chain([conv(2, free)]);
    const wrong = (options: object) => messageOf(() => optimizeForInference(model, options as OptimizeOptions));
    expect(await wrong({ precision: 'high' })).toBe(
      "InvalidArgumentError: precision must be 'fast' or 'exact'. Received: precision=\"high\".",
    );
    expect(await wrong({ precision: null })).toBe(
      "InvalidArgumentError: precision must be 'fast' or 'exact'. Received: precision=null.",
    );
    expect(await wrong({ precison: 'fast' })).toContain('precison');
    model.dispose();
  });

  it('models of no image', async () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [3] })] });
    expect(await messageOf(() => optimizeForInference(model))).toBe(
      'InvalidArgumentError: Prediction takes a model with one image input [batch, height, width, channels]. Received: inputs [null, 3].',
    );
    model.dispose();
  });

  it('images', async () => {
    const model = models.uNet({ ...base, inputShape: [null, null, 3] });
    const optimized = await optimizeForInference(model);
    const before = tf.memory().numTensors;
    const [gray, flat, odd] = [image([1, 8, 8, 1]), tf.zeros<tf.Rank.R3>([8, 8, 3]), image([1, 8, 9, 3])];
    expect(await messageOf(() => optimized.predict(gray))).toBe(
      'InvalidArgumentError: The model takes [batch, height, width, 3]. Received: [1, 8, 8, 1].',
    );
    expect(await messageOf(() => optimized.predict(flat as tf.Tensor as tf.Tensor4D))).toBe(
      'InvalidArgumentError: The model takes [batch, height, width, 3]. Received: [8, 8, 3].',
    );
    // The network's own message.
    const refused = await messageOf(() => optimized.predict(odd));
    expect(refused).toMatch(
      /^InvalidArgumentError: U-Net needs height and width that are multiples of 4\. Received: 8x9/,
    );
    expect(refused).toBe(await messageOf(() => model.predict(odd)));
    tf.dispose([gray, flat, odd]);
    expect(tf.memory().numTensors).toBe(before);
    optimized.dispose();
    model.dispose();
  });

  it('images of another size than that of a model that has one', async () => {
    const model = chain([conv(2, { inputShape: [40, 36, 1] })]);
    const optimized = await optimizeForInference(model);
    const [right, wrong] = [image([2, 40, 36, 1]), image([1, 20, 20, 1])];
    expectSame(optimized, model, right);
    expect(await messageOf(() => model.predict(wrong))).not.toBe('nothing was thrown');
    expect(await messageOf(() => optimized.predict(wrong))).toBe(
      'InvalidArgumentError: The model takes [batch, 40, 36, 1]. Received: [1, 20, 20, 1].',
    );
    const none = tf.zeros<tf.Rank.R4>([0, 40, 36, 1]);
    expect(await messageOf(() => optimized.predict(none))).toBe(
      'InvalidArgumentError: The model takes [batch, 40, 36, 1]. Received: [0, 40, 36, 1].',
    );
    none.dispose();
    expect(await messageOf(() => optimized.predict([1, 2] as unknown as tf.Tensor4D))).toBe(
      'InvalidArgumentError: The model takes [batch, 40, 36, 1]. Received: no tensor.',
    );
    expect(await messageOf(() => optimizeForInference(optimized as unknown as tfl.LayersModel))).toBe(
      'InvalidArgumentError: The model is optimized already. Give the model that it was made of, its `model`.',
    );
    expect(await messageOf(() => optimizeForInference(undefined as unknown as tfl.LayersModel))).toBe(
      "InvalidArgumentError: inference.optimizeForInference takes a model of TensorFlow.js's layers. Received: undefined.",
    );
    tf.dispose([right, wrong]);
    optimized.dispose();
    model.dispose();
  });

  it('predict after dispose', async () => {
    const model = chain([conv(2, free)]);
    const optimized = await optimizeForInference(model);
    expect(optimized.bytes).toBeGreaterThan(0);
    optimized.dispose();
    optimized.dispose();
    expect(optimized.bytes).toBe(0);
    expect(optimized.simd).toBeNull();
    const x = image([1, 8, 8, 2]);
    const message =
      'InvalidArgumentError: The optimized model was disposed of. Make another by inference.optimizeForInference.';
    expect(await messageOf(() => optimized.predict(x))).toBe(message);
    expect(await messageOf(() => optimized.reload())).toBe(message);
    // The model lives on.
    const outputs = outputsOf(model, x);
    expect(outputs).toHaveLength(1);
    const unplanned = await optimizeForInference(model);
    unplanned.dispose();
    expect(await messageOf(() => unplanned.predict(x))).toBe(message);
    x.dispose();
    model.dispose();
  });
});

/** The backends whose models are planned; others run them themselves. */
describe.each(['cpu', 'wasm'])('weights [%s]', (name) => {
  beforeAll(() => startBackend(name));

  it('are those of the call, until reload', async () => {
    const model = chain([conv(2, { ...free, activation: 'relu' }), tfl.layers.batchNormalization()]);
    const optimized = await optimizeForInference(model);
    expect(optimized.reason).toBeNull();
    const x = image([1, 10, 8, 2]);
    const first = outputsOf(optimized, x);
    for (const index of model.weights.keys()) assign(model, index, (before) => tf.add(before, 0.25));
    const before = tf.memory().numTensors;
    expect(outputsOf(optimized, x)).toEqual(first);
    await optimized.reload();
    expectSame(optimized, model, x);
    expect(outputsOf(optimized, x)).not.toEqual(first);
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
    optimized.dispose();
    model.dispose();
  });

  /** The model's own prediction of one image. */
  const own = (model: tfl.LayersModel, x: tf.Tensor4D) => outputsOf(model, x).at(-1)?.values ?? new Float32Array(0);

  it('that were written or trained count at the next predictProbability and predictMask', async () => {
    const model = models.pyConvUNet({ ...base, widths: [8, 16] });
    const x = image([1, 8, 12, 3]);
    const prepared = { width: 12, height: 8, channels: 3, image: Float32Array.from(x.dataSync()) };
    const raster = { width: 12, height: 8, channels: 3, data: prepared.image };
    const probability = async () => (await predictProbability(model, prepared)).probability;
    const mask = async () => (await predictMask(model, raster, { preprocessing: 'none' })).probability;
    const first = await probability();
    expect(difference(first, own(model, x))).toBeLessThan(CLOSE);
    for (const index of model.weights.keys()) assign(model, index, (before) => tf.add(before, 0.01));
    const written = await probability();
    expect(difference(written, own(model, x))).toBeLessThan(CLOSE);
    expect(difference(written, first)).toBeGreaterThan(1e-3);
    expect(await mask()).toEqual(written);
    const y = tf.ones([1, 8, 12, 1]);
    model.compile({ optimizer: tf.train.sgd(0.5), loss: 'meanSquaredError' });
    await model.trainOnBatch(x, y);
    const trained = await mask();
    expect(difference(trained, own(model, x))).toBeLessThan(CLOSE);
    expect(difference(trained, written)).toBeGreaterThan(1e-4);
    const before = tf.memory().numTensors;
    expect(await probability()).toEqual(trained);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, y]);
    model.dispose();
  });

  it('of an optimized model that predictProbability gets are those of the call', async () => {
    const model = models.uNet(base);
    const optimized: OptimizedModel = await optimizeForInference(model);
    const prepared = { width: 8, height: 8, channels: 3, image: noise(192, 1) };
    const first = await predictProbability(optimized, prepared);
    for (const index of model.weights.keys()) assign(model, index, (before) => tf.add(before, 0.05));
    expect(await predictProbability(optimized, prepared)).toEqual(first);
    await optimized.reload();
    const after = await predictProbability(optimized, prepared);
    expect(difference(after.probability, first.probability)).toBeGreaterThan(1e-4);
    const again = await predictProbability(model, prepared);
    expect(difference(after.probability, again.probability)).toBeLessThan(CLOSE);
    optimized.dispose();
    model.dispose();
  });
});
