/** Every algorithm of the plan against sums in float64: shapes of the networks, and any other by property tests. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backends.js';
import { useCleanMemory, useDirtyMemory } from './dirtyMemory.js';
import {
  activation,
  add,
  bilinearUpsampling,
  chain,
  concatenate,
  conv2d,
  conv2dTranspose,
  crop,
  type Expression,
  join,
  type Level,
  multiply,
  type Network,
  nearest,
  network,
  norm,
  type Operation,
  planOf,
  pool,
  pyConv2d,
  randomImage,
  relativeError,
  runPlan,
  upSampling,
  zeroPadding,
} from './networks.js';
import type { Image, Pair } from './reference.js';

beforeAll(() => startBackend('wasm'));

beforeAll(useDirtyMemory);
afterAll(useCleanMemory);

const PRECISIONS = ['fast', 'exact'] as const;

/**
 * Worst relative error measured (largest difference over largest value, of images in [-1, 1]) of everything below, by algorithm:
 * F(4,3), F(3,3) by kernel size, Strassen's, all others, which sum products one by one, and chains of small ones of any kind.
 */
const MEASURED = {
  simd128: {
    direct: 2.0e-6,
    'F(4,3)': 6.1e-6,
    3: 1.4e-6,
    5: 2.6e-6,
    7: 3.2e-6,
    9: 2.6e-6,
    11: 1.4e-6,
    13: 1.4e-6,
    15: 0.8e-6,
    strassen: 1.4e-6,
    chain: 3.3e-6,
  },
  relaxed: {
    direct: 2.0e-6,
    'F(4,3)': 7.0e-6,
    3: 1.5e-6,
    5: 1.8e-6,
    7: 2.9e-6,
    9: 2.6e-6,
    11: 1.5e-6,
    13: 1.5e-6,
    15: 0.8e-6,
    strassen: 1.9e-6,
    chain: 2.6e-6,
  },
} as const;

type Simd = keyof typeof MEASURED;
type Algorithm = keyof (typeof MEASURED)[Simd];

/** What OptimizeOptions promises. */
const PROMISED = 1e-5;

/** No error may be above three times what was measured, nor above what is promised. */
function expectSmall(error: number, simd: Simd, algorithm: Algorithm, context: string): void {
  const bound = Math.min(3 * MEASURED[simd][algorithm], PROMISED);
  expect(error, `${algorithm} on ${simd}, ${context}`).toBeLessThanOrEqual(bound);
}

/** Some channels of the output, and how they are computed in fast precision. */
interface Slice {
  readonly algorithm: Algorithm;
  readonly end: number;
}

/** Runs a network of one output in both precisions; `slices` in order of the output's channels. */
async function check(net: Network, image: Image, slices: readonly Slice[], context: string): Promise<void> {
  const [expected] = net.reference(image);
  for (const precision of PRECISIONS) {
    const plan = await planOf(net, precision);
    const [actual] = runPlan(plan, image);
    if (actual === undefined || expected === undefined) throw new Error('The network has no output.');
    let first = 0;
    for (const { algorithm, end } of slices) {
      const error = relativeError(actual, expected, first, end);
      expectSmall(
        error,
        plan.simd,
        precision === 'fast' || algorithm === 'chain' ? algorithm : 'direct',
        `${precision}: ${context}`,
      );
      first = end;
    }
  }
}

type Shape = readonly [number, number, number];

/** The same for a chain of operations from the image. */
async function checkChain(operations: readonly Operation[], shape: Shape, slices: readonly Slice[], seed = 1) {
  const net = network([chain(operations)], shape, seed);
  await check(net, randomImage(shape, seed), slices, `[${shape}]`);
  net.dispose();
}

/** How a kernel of a model is computed that has larger ones than 3x3, or has none. */
function algorithmOf(kernelSize: number, hasLarger: boolean): Algorithm {
  if (!hasLarger) return kernelSize === 3 ? 'F(4,3)' : 'direct';
  const known = ([3, 5, 7, 9, 11, 13, 15] as const).find((k) => k === kernelSize);
  return known ?? 'direct';
}

function slicesOf(levels: readonly Level[], isNested = true): Slice[] {
  let end = 0;
  const hasLarger = levels.some(({ kernelSize }) => kernelSize > 3);
  return levels.map(({ kernelSize, filters }) => {
    end += filters;
    return { algorithm: isNested ? algorithmOf(kernelSize, hasLarger) : 'direct', end };
  });
}

/** The levels of PyConvU-Net at a width. */
const pyConv4 = (filters: number): Level[] => [
  { kernelSize: 3, groups: 1, filters: filters / 8 },
  { kernelSize: 5, groups: 4, filters: filters / 8 },
  { kernelSize: 7, groups: 8, filters: filters / 4 },
  { kernelSize: 9, groups: 16, filters: filters / 2 },
];

describe('shapes of the networks, smaller', () => {
  it.each([
    [40, 37, 32],
    [27, 24, 64],
    [16, 16, 128],
    [10, 11, 256],
    [7, 6, 512],
  ])('four levels on %i x %i x %i', async (height, width, channels) => {
    const levels = pyConv4(channels);
    await checkChain([pyConv2d({ levels, useBias: false })], [height, width, channels], slicesOf(levels));
  });

  it.each([
    [14, 128, 64, 9, 16],
    [18, 128, 32, 5, 4],
    [21, 64, 16, 7, 8],
    [33, 32, 16, 9, 16],
    [25, 16, 16, 11, 4],
    [29, 8, 8, 13, 2],
    [30, 4, 4, 15, 1],
    [24, 4, 4, 15, 4],
  ])(
    'one level: side %i, %i to %i channels, kernel %i, groups %i',
    async (side, inputs, filters, kernelSize, groups) => {
      const levels = [{ kernelSize, groups, filters }];
      await checkChain([pyConv2d({ levels })], [side, side, inputs], slicesOf(levels));
    },
  );

  it.each([3, 5, 7, 9, 11, 13])('kernel %i multiplies less where it is fast', async (kernelSize) => {
    const operation = conv2d({ kernelSize: [kernelSize, kernelSize], filters: 12 });
    const net = network([chain([operation])], [48, 48, 12]);
    const [fast = Number.NaN, exact = Number.NaN] = await Promise.all(
      PRECISIONS.map(async (precision) => {
        const plan = await planOf(net, precision);
        return plan.stepsFor([48, 48, 12]).reduce((sum, { macs }) => sum + macs, 0);
      }),
    );
    expect(exact).toBeGreaterThanOrEqual(48 * 48 * 12 * 12 * kernelSize ** 2);
    expect(fast).toBeLessThan(exact / 1.5);
    net.dispose();
  });

  it.each([
    [33, 3, 32],
    [24, 32, 64],
    [12, 64, 128],
    [9, 70, 131],
    [6, 130, 65],
    // Several runs of inputs: the last block of outputs smaller than the others and odd, one block that is odd, one output.
    [9, 128, 97],
    [7, 256, 33],
    [8, 192, 1],
  ])('3x3 without groups: side %i, %i to %i channels', async (side, inputs, filters) => {
    const operation = conv2d({ kernelSize: [3, 3], filters, activation: 'relu' });
    await checkChain([operation], [side, side, inputs], [{ algorithm: 'F(4,3)', end: filters }]);
  });

  it.each([
    [16, 512, 16],
    [8, 1024, 32],
  ])('3x3 without groups of many channels: side %i, %i to %i channels', async (side, inputs, filters) => {
    const operation = conv2d({ kernelSize: [3, 3], filters });
    await checkChain([operation], [side, side, inputs], [{ algorithm: 'F(4,3)', end: filters }]);
  });

  it.each([
    [40, 32, 16],
    [16, 70, 33],
    [5, 256, 64],
  ])('1x1: side %i, %i to %i channels', async (side, inputs, filters) => {
    const operation = conv2d({ kernelSize: [1, 1], filters });
    await checkChain([operation], [side, side, inputs], [{ algorithm: 'direct', end: filters }]);
  });

  // Lists of pixels and whole planes, pairs of register tiles with and without a tile alone behind them.
  it.each([
    [14, 64, 64],
    [16, 128, 64],
    [17, 96, 132],
    [24, 512, 64],
    [50, 64, 68],
    [70, 68, 64],
  ])('1x1 of many channels: side %i, %i to %i channels', async (side, inputs, filters) => {
    const operation = conv2d({ kernelSize: [1, 1], filters, activation: 'relu' });
    await checkChain([operation], [side, side + 1, inputs], [{ algorithm: 'strassen', end: filters }]);
  });

  it.each([
    [14, 64, 16, 2],
    [17, 128, 64, 2],
    [15, 72, 8, 3],
  ])('transposed, of many channels: side %i, %i to %i channels, stride %i', async (side, inputs, filters, s) => {
    const operation = conv2dTranspose({ kernelSize: [s, s], filters, strides: [s, s], padding: 'same' });
    await checkChain([operation], [side, side + 1, inputs], [{ algorithm: 'strassen', end: filters }]);
  });

  it.each([
    [14, 64, 16],
    [17, 128, 64],
    [32, 68, 64],
  ])(
    'a transposed convolution beside others before a 1x1: side %i, %i to %i channels',
    async (side, inputs, filters) => {
      const image = chain([activation('relu')]);
      const up = chain([conv2dTranspose({ kernelSize: [2, 2], strides: [2, 2], filters: 12 })], image);
      const beside = [filters, 8].map((channels) =>
        chain([conv2d({ kernelSize: [1, 1], filters: channels }), nearest(2)], image),
      );
      const [before = image, behind = image] = beside;
      const last = chain(
        [conv2d({ kernelSize: [1, 1], filters, activation: 'relu' })],
        join(concatenate, before, up, behind),
      );
      const net = network([last], [side, side, inputs]);
      await check(net, randomImage([side, side, inputs], 1), [CHAIN], `side ${side}`);
      const plan = await planOf(net, 'fast');
      expect(plan.stepsFor([side, side, inputs]).some(({ kind }) => kind === 'composed')).toBe(true);
      net.dispose();
    },
  );

  it.each([
    [12, 32, 16, 2, 2],
    [12, 32, 16, 3, 2],
    [9, 20, 12, 4, 2],
    [7, 9, 5, 4, 4],
  ])('transposed: side %i, %i to %i channels, kernel %i, stride %i', async (side, inputs, filters, k, s) => {
    const operation = conv2dTranspose({ kernelSize: [k, k], filters, strides: [s, s], padding: 'same' });
    await checkChain([operation], [side, side, inputs], [{ algorithm: 'direct', end: filters }]);
  });
});

const parameters = { seed: 20, numRuns: 60 };
/** Products of a property test's largest convolution. */
const MOST_PRODUCTS = 1e6;

/** Products of one output of a level. */
const MOST_TERMS = 2000;

const length = fc.integer({ min: 1, max: 40 });
const channels = fc.integer({ min: 1, max: 70 });
const seed = fc.integer({ min: 1, max: 1e6 });
const upTo3 = fc.integer({ min: 1, max: 3 });
const pairOf = (item: fc.Arbitrary<number>): fc.Arbitrary<Pair> =>
  fc.oneof(
    item.map((n): Pair => [n, n]),
    fc.tuple(item, item),
  );
const ones: Pair = [1, 1];

/** Strides or dilations: TensorFlow.js convolves with one of them only. */
const steps = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ strides: ones, dilations: ones }) },
  { weight: 1, arbitrary: pairOf(upTo3).map((strides) => ({ strides, dilations: ones })) },
  { weight: 1, arbitrary: pairOf(upTo3).map((dilations) => ({ strides: ones, dilations })) },
);

/** Fewer channels where there would be too many products. */
function within(products: number, a: number, b: number): [number, number] {
  const share = Math.min(1, Math.sqrt(MOST_PRODUCTS / (products * a * b)));
  return [Math.max(1, Math.floor(a * share)), Math.max(1, Math.floor(b * share))];
}

const extent = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1;

describe('any convolution', () => {
  it('of tf.layers', async () => {
    const cases = fc.record({
      size: fc.tuple(length, length),
      kernelSize: pairOf(fc.integer({ min: 1, max: 7 })),
      steps,
      wanted: fc.tuple(channels, channels),
      padding: fc.constantFrom('same', 'valid'),
      useBias: fc.boolean(),
      activation: fc.constantFrom('linear', 'relu'),
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ size, kernelSize, steps, wanted, seed, padding, ...options }) => {
      const { strides, dilations } = steps;
      const fits = size.every((n, axis) => n >= extent(kernelSize[axis] ?? 0, dilations[axis] ?? 0));
      const products = (size[0] * size[1] * kernelSize[0] * kernelSize[1]) / (strides[0] * strides[1]);
      const [inputs, filters] = within(products, ...wanted);
      const isNested = kernelSize[0] === kernelSize[1] && [...strides, ...dilations].every((n) => n === 1);
      const [k] = kernelSize;
      const operation = conv2d({
        kernelSize,
        filters,
        strides,
        dilations,
        padding: fits ? padding : 'same',
        ...options,
      });
      const algorithm = isNested ? algorithmOf(k, k > 3) : 'direct';
      await checkChain([operation], [...size, inputs], [{ algorithm, end: filters }], seed);
    });
    await fc.assert(property, parameters);
  });

  it('of one to four levels', async () => {
    const cases = fc.record({
      size: fc.tuple(length, length),
      inputs: fc.constantFrom(1, 2, 3, 4, 6, 8, 12, 15, 16, 24, 32, 36, 48, 64, 70),
      levels: fc.array(
        fc.record({
          kernelSize: fc.constantFrom(1, 3, 3, 5, 7, 9, 11, 13, 15),
          divisor: fc.nat(),
          perGroup: fc.oneof(
            { weight: 2, arbitrary: fc.constant(1) },
            { weight: 3, arbitrary: fc.integer({ min: 1, max: 9 }) },
          ),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      steps,
      // Rows and columns more than 'same' pads, all around.
      margin: fc.option(fc.integer({ min: -1, max: 1 })),
      useBias: fc.boolean(),
      activation: fc.constantFrom('linear', 'relu'),
      seed,
    });
    const property = fc.asyncProperty(
      cases,
      async ({ size, inputs, levels: wanted, steps, margin, seed, ...options }) => {
        const { strides, dilations } = steps;
        const levels = wanted.map(({ kernelSize, divisor, perGroup }): Level => {
          // Sums of many products are a matter of float32, not of the algorithm.
          const legal = Array.from({ length: inputs }, (_, i) => i + 1).filter(
            (n) => inputs % n === 0 && (kernelSize ** 2 * inputs) / n <= MOST_TERMS,
          );
          // One group, one for each channel, or any between.
          const groups = legal[divisor % legal.length] ?? 1;
          const products = (size[0] * size[1] * kernelSize ** 2 * inputs) / (strides[0] * strides[1]);
          const filters = Math.min(70, MOST_PRODUCTS / wanted.length / (products / groups));
          return {
            kernelSize,
            groups,
            filters: groups * Math.max(1, Math.min(perGroup, Math.floor(filters / groups))),
          };
        });
        const padding = levels.map(({ kernelSize }) => (dilations[0] * (kernelSize - 1)) / 2 + (margin ?? 0));
        // Pixels on both sides make the levels equal only where both axes are dilated alike.
        const isLegal =
          margin !== null &&
          dilations[0] === dilations[1] &&
          padding.every((p) => p >= 0) &&
          size.every((n) => n + 2 * margin >= 1);
        const operation = pyConv2d({ levels, strides, dilations, padding: isLegal ? padding : 'same', ...options });
        const isNested = [...strides, ...dilations].every((n) => n === 1);
        await checkChain([operation], [...size, inputs], slicesOf(levels, isNested), seed);
      },
    );
    await fc.assert(property, parameters);
  });

  it('transposed', async () => {
    const cases = fc.record({
      size: fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 })),
      kernelSize: pairOf(fc.integer({ min: 1, max: 4 })),
      strides: pairOf(upTo3),
      wanted: fc.tuple(channels, channels),
      padding: fc.constantFrom('same', 'valid'),
      useBias: fc.boolean(),
      activation: fc.constantFrom('linear', 'relu'),
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ size, wanted, seed, ...options }) => {
      const [kh, kw] = options.kernelSize;
      const [inputs, filters] = within(size[0] * size[1] * kh * kw, ...wanted);
      const operation = conv2dTranspose({ filters, ...options });
      await checkChain([operation], [...size, inputs], [{ algorithm: 'direct', end: filters }], seed);
    });
    await fc.assert(property, parameters);
  });
});

describe('Strassen’s algorithm', () => {
  const side = fc.integer({ min: 14, max: 30 });
  const multiple = fc.integer({ min: 16, max: 20 }).map((n) => 4 * n);

  it('for any 1x1 and any transposed convolution that tiles its output', async () => {
    const cases = fc.record({
      size: fc.tuple(side, side),
      stride: pairOf(fc.integer({ min: 1, max: 2 })),
      inputs: multiple,
      filters: multiple,
      useBias: fc.boolean(),
      activation: fc.constantFrom('linear', 'relu'),
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ size, stride, inputs, filters, seed, ...options }) => {
      const isPointwise = stride[0] * stride[1] === 1;
      const operation = isPointwise
        ? conv2d({ kernelSize: [1, 1], filters, ...options })
        : conv2dTranspose({ kernelSize: stride, strides: stride, filters, ...options });
      const net = network([chain([operation])], [...size, inputs], seed);
      const image = randomImage([...size, inputs], seed);
      await check(net, image, [{ algorithm: 'strassen', end: filters }], `[${size}]`);
      const macs = async (precision: (typeof PRECISIONS)[number]) =>
        (await planOf(net, precision)).stepsFor([...size, inputs]).reduce((sum, step) => sum + step.macs, 0);
      expect(await macs('fast')).toBeLessThan(0.95 * (await macs('exact')));
      net.dispose();
    });
    await fc.assert(property, { ...parameters, numRuns: 30 });
  });
});

/** A small convolution by one of the algorithms. */
interface SmallConvolution {
  readonly kind: '1x1' | '3x3' | '5x5' | 'strided' | 'transposed' | 'depthwise' | 'levels';
  readonly filters: number;
  readonly useBias: boolean;
}

const convolution: fc.Arbitrary<SmallConvolution> = fc.record({
  kind: fc.constantFrom('1x1', '3x3', '5x5', 'strided', 'transposed', 'depthwise', 'levels'),
  filters: fc.integer({ min: 1, max: 9 }),
  useBias: fc.boolean(),
});

/** The operation on a map of `inputs` channels, and the channels that come out. */
function convolutionOf({ kind, filters, useBias }: SmallConvolution, inputs: number): [Operation, number] {
  switch (kind) {
    case '1x1':
      return [conv2d({ kernelSize: [1, 1], filters, useBias }), filters];
    case '3x3':
      return [conv2d({ kernelSize: [3, 3], filters, useBias }), filters];
    case '5x5':
      return [conv2d({ kernelSize: [5, 5], filters, useBias }), filters];
    case 'strided':
      return [conv2d({ kernelSize: [3, 2], strides: [2, 1], filters, useBias }), filters];
    case 'transposed':
      return [conv2dTranspose({ kernelSize: [2, 2], strides: [2, 2], filters, useBias }), filters];
    case 'depthwise':
      return [pyConv2d({ levels: [{ kernelSize: 7, groups: inputs, filters: inputs }], useBias }), inputs];
    case 'levels': {
      const levels = [
        { kernelSize: 3, groups: 1, filters },
        { kernelSize: 9, groups: inputs, filters: 2 * inputs },
      ];
      return [pyConv2d({ levels, useBias }), filters + 2 * inputs];
    }
  }
}

/** What may follow a convolution, or stand alone: the same channels come out. */
const follower = fc.constantFrom(
  activation('relu'),
  norm('tfjs'),
  norm('package', 'relu'),
  norm('package'),
  pool([2, 2], [2, 2], 'same'),
  pool([3, 3], [2, 2], 'same'),
  pool([3, 3], [1, 1], 'same'),
  pool([2, 3], [3, 1], 'same'),
  nearest(2),
  upSampling([1, 3]),
  bilinearUpsampling(2),
  bilinearUpsampling(3),
);

type Sides = readonly [Pair, Pair];
const sides: fc.Arbitrary<Sides> = fc.tuple(pairOf(fc.nat(2)), pairOf(fc.nat(2)));
const frame = sides.map(zeroPadding);

/** Chains accumulate the errors of their convolutions. */
const CHAIN: Slice = { algorithm: 'chain', end: Number.POSITIVE_INFINITY };

/** Rows and columns at the end alone. */
const atEnd = (count: number): Sides => [
  [0, count],
  [0, count],
];
const twice = conv2dTranspose({ kernelSize: [2, 2], strides: [2, 2], filters: 3 });

describe('operations around convolutions', () => {
  it('normalisations and ReLUs behind any convolution are folded into it or computed', async () => {
    const cases = fc.record({
      size: fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 })),
      inputs: fc.integer({ min: 1, max: 6 }),
      convolution,
      behind: fc.array(fc.constantFrom(activation('relu'), norm('tfjs'), norm('package', 'relu'), norm('package')), {
        maxLength: 4,
      }),
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ size, inputs, convolution, behind, seed }) => {
      const [operation] = convolutionOf(convolution, inputs);
      await checkChain([operation, ...behind], [...size, inputs], [CHAIN], seed);
    });
    await fc.assert(property, parameters);
  });

  const size = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }));
  const inputs = fc.integer({ min: 1, max: 4 });

  it('chains of convolutions, poolings, enlargements', async () => {
    const cases = fc.record({
      size,
      inputs,
      before: fc.array(follower, { maxLength: 2 }),
      first: convolution,
      between: fc.array(follower, { maxLength: 3 }),
      last: fc.option(convolution),
      behind: fc.array(follower, { maxLength: 1 }),
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ size, inputs, before, first, between, last, behind, seed }) => {
      const [one, filters] = convolutionOf(first, inputs);
      const two = last === null ? [] : [convolutionOf(last, filters)[0]];
      await checkChain([...before, one, ...between, ...two, ...behind], [...size, inputs], [CHAIN], seed);
    });
    await fc.assert(property, parameters);
  });

  it('zero padding and crops at the start before a convolution or a pooling', async () => {
    const cases = fc.record({
      size,
      inputs,
      frame,
      crops: fc.record({
        kind: fc.constantFrom('tfjs', 'package'),
        top: fc.nat(2),
        left: fc.nat(2),
      }),
      convolution,
      pooling: fc.constantFrom(null, pool([1, 1], [2, 2], 'valid'), pool([1, 2], [1, 1], 'valid')),
      isCropped: fc.boolean(),
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ size, inputs, frame, crops, isCropped, seed, ...rest }) => {
      const { kind, top, left } = crops;
      const cut = [
        nearest(3),
        crop(kind, [
          [top, 0],
          [left, 0],
        ]),
      ];
      const [operation] = rest.pooling === null ? convolutionOf(rest.convolution, inputs) : [rest.pooling];
      const operations = [norm('package', 'relu'), ...(isCropped ? cut : [frame]), operation];
      const isTooSmall = rest.pooling !== null && !isCropped && size[1] === 1;
      await checkChain(isTooSmall ? [operation] : operations, [size[0], size[1] + 1, inputs], [CHAIN], seed);
    });
    await fc.assert(property, parameters);
  });

  it('zero padding and crops at any side, anywhere', async () => {
    const cut = fc
      .tuple(fc.constantFrom('tfjs', 'package'), pairOf(fc.nat(1)), pairOf(fc.nat(1)))
      .map(([kind, rows, columns]) => crop(kind, [rows, columns]));
    const enlargement = fc.constantFrom(
      nearest(3),
      conv2dTranspose({ kernelSize: [3, 3], strides: [3, 3], filters: 3 }),
      conv2dTranspose({ kernelSize: [2, 2], strides: [3, 3], filters: 3, useBias: false }),
    );
    const cases = fc.record({
      size: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
      inputs,
      first: fc.oneof(follower, frame),
      // Large enough for every crop.
      framed: fc.array(
        fc.oneof(
          frame.map((operation) => [operation]),
          fc.tuple(enlargement, cut),
          fc.tuple(enlargement, frame),
        ),
        { minLength: 1, maxLength: 2 },
      ),
      middle: fc.option(follower),
      last: convolution,
      behind: fc.option(frame),
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ size, inputs, first, framed, middle, last, behind, seed }) => {
      const before = [conv2d({ kernelSize: [3, 3], filters: 3 }), first, ...framed.flat(), ...(middle ? [middle] : [])];
      const [operation] = convolutionOf(last, 3);
      const operations = [...before, operation, ...(behind ? [behind] : [])];
      await checkChain(operations, [...size, inputs], [CHAIN], seed);
    });
    await fc.assert(property, parameters);
  });

  it.each([
    ['a crop at the end before a convolution', [crop('package', atEnd(2)), conv2d({ kernelSize: [2, 2], filters: 2 })]],
    [
      'a crop at the end before a 3x3 convolution',
      [crop('tfjs', atEnd(1)), conv2d({ kernelSize: [3, 3], filters: 2 })],
    ],
    ['a crop at the end before a pooling', [crop('package', atEnd(3)), pool([3, 3], [2, 2], 'same')]],
    ['a padding before a pooling that pads', [zeroPadding(atEnd(0)), pool([2, 3], [3, 1], 'same')]],
    ['a padding of a transposed convolution', [twice, zeroPadding(atEnd(1))]],
  ])('%s', async (_, operations) => {
    await checkChain(operations, [7, 8, 2], [CHAIN]);
  });

  it('several sizes by one plan', async () => {
    const cases = fc.record({
      sizes: fc.array(size, { minLength: 2, maxLength: 4 }),
      inputs,
      first: convolution,
      between: fc.array(follower, { maxLength: 2 }),
      last: convolution,
      precision: fc.constantFrom(...PRECISIONS),
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ sizes, inputs, first, between, last, precision, seed }) => {
      const [one, filters] = convolutionOf(first, inputs);
      const [two] = convolutionOf(last, filters);
      const net = network([chain([one, ...between, two])], [null, null, inputs], seed);
      const plan = await planOf(net, precision);
      for (const size of [...sizes, ...sizes]) {
        const image = randomImage([...size, inputs], seed);
        const [actual] = runPlan(plan, image);
        const [expected] = net.reference(image);
        if (actual === undefined || expected === undefined) throw new Error('The network has no output.');
        expectSmall(relativeError(actual, expected), plan.simd, CHAIN.algorithm, `[${size}]`);
      }
      net.dispose();
    });
    await fc.assert(property, parameters);
  });

  it.each([
    ['3x3', [conv2d({ kernelSize: [3, 3], filters: 3, activation: 'relu' })]],
    ['1x1', [conv2d({ kernelSize: [1, 1], filters: 3, activation: 'relu' })]],
    ['levels', [pyConv2d({ levels: pyConv4(32), activation: 'relu' })]],
    ['transposed', [conv2dTranspose({ kernelSize: [2, 2], strides: [2, 2], filters: 3, activation: 'relu' })]],
    ['behind each other', [norm('tfjs'), activation('relu'), pool([2, 2], [2, 2], 'same'), norm('package', 'relu')]],
  ])('filters of NaN make NaN, also behind ReLU: %s', async (_, operations) => {
    const net = network([chain([...operations, norm('package', 'relu'), pool([3, 3], [1, 1], 'same')])], [9, 8, 16]);
    for (const { weights } of net.model.layers) {
      for (const weight of weights.slice(0, 4)) {
        tf.tidy(() => {
          weight.write(tf.mul(weight.read(), Number.NaN));
        });
      }
      if (weights.length > 0) break;
    }
    for (const precision of PRECISIONS) {
      const [output] = runPlan(await planOf(net, precision), randomImage([9, 8, 16], 1));
      expect(output?.data.every(Number.isNaN)).toBe(true);
    }
    net.dispose();
  });

  it('several outputs, also from within', async () => {
    const first = chain([conv2d({ kernelSize: [3, 3], filters: 3 })]);
    const active = chain([activation('relu')], first);
    const last = chain(
      [pyConv2d({ levels: pyConv4(32) })],
      chain([conv2d({ kernelSize: [1, 1], filters: 32 })], active),
    );
    const net = network([last, active, first, chain([activation('softmax')], first), 'image'], [13, 11, 2]);
    const image = randomImage([13, 11, 2], 1);
    const expected = net.reference(image);
    for (const precision of PRECISIONS) {
      const plan = await planOf(net, precision);
      for (const [i, actual] of runPlan(plan, image).entries()) {
        expectSmall(relativeError(actual, expected[i] ?? image), plan.simd, CHAIN.algorithm, `output ${i}`);
      }
    }
    net.dispose();
  });

  it('branches that are concatenated, added or multiplied', async () => {
    const branch = fc.record({
      behind: fc.array(fc.constantFrom(activation('relu'), norm('tfjs'), norm('package', 'relu')), { maxLength: 2 }),
      isSingle: fc.boolean(),
    });
    const cases = fc.record({
      size: fc.tuple(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 15 })),
      inputs: fc.integer({ min: 1, max: 5 }),
      branches: fc.array(branch, { minLength: 2, maxLength: 4 }),
      how: fc.constantFrom('concatenate', 'add', 'multiply', 'gate'),
      behind: fc.array(follower, { maxLength: 2 }),
      last: convolution,
      seed,
    });
    const property = fc.asyncProperty(cases, async ({ size, inputs, branches, how, behind, last, seed }) => {
      const same = (filters: number) => conv2d({ kernelSize: [3, 3], filters });
      const maps = branches.map(({ behind, isSingle }, i): Expression => {
        const filters = how === 'concatenate' ? i + 1 : how === 'gate' && i === 0 ? 1 : inputs;
        // Some branches are the image itself.
        return isSingle && how !== 'gate' ? 'image' : chain([same(filters), ...behind]);
      });
      const [a = 'image', b = 'image'] = maps;
      let joined = join(concatenate, ...maps);
      let filters = branches.reduce((sum, { isSingle }, i) => sum + (isSingle ? inputs : i + 1), 0);
      if (how !== 'concatenate') {
        joined = how === 'add' ? join(add, ...maps) : join(multiply, a, b);
        filters = inputs;
      }
      const [operation] = convolutionOf(last, filters);
      const net = network([chain([...behind, operation], joined)], [...size, inputs], seed);
      await check(net, randomImage([...size, inputs], seed), [CHAIN], `[${size}]`);
      net.dispose();
    });
    await fc.assert(property, parameters);
  });
});
