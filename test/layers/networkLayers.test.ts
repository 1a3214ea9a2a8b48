/** The layers without weights that the networks need: crop, the two enlargements, dropout, the check of sizes. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bilinearUpsampling } from '../../src/layers/bilinearUpsampling.js';
import { crop } from '../../src/layers/crop.js';
import { type Dropout, dropout } from '../../src/layers/dropout.js';
import { nearestUpsampling } from '../../src/layers/nearestUpsampling.js';
import { SizeGuard } from '../../src/layers/sizeGuard.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { describeBackends } from '../backends.js';

/** Applies a layer to a tensor. */
function run(layer: tfl.layers.Layer, x: tf.Tensor, training = false): tf.Tensor {
  const y = layer.apply(x, { training });
  if (!(y instanceof tf.Tensor)) throw new Error('The layer did not return one tensor.');
  return y;
}

/** The symbolic output shape for an input shape. */
function shapeOf(layer: tfl.layers.Layer, shape: tfl.Shape): tfl.Shape {
  const y = layer.apply(tfl.input({ shape }));
  if (!(y instanceof tfl.SymbolicTensor)) throw new Error('The layer did not return one symbolic tensor.');
  return y.shape;
}

/** The same layer from its configuration. */
function copy<L extends tfl.layers.Layer>(layer: L): L {
  const { constructor: cls } = layer as { constructor: unknown };
  return new (cls as new (config: tf.serialization.ConfigDict) => L)(layer.getConfig());
}

const image = (shape: [number, number, number, number], seed = 1) =>
  tf.randomUniform<tf.Rank.R4>(shape, -1, 1, 'float32', seed);

/** The values of a tensor; webgpu reads them asynchronously only. */
const valuesOf = async (x: tf.Tensor): Promise<number[]> => [...(await x.data())];

/** The scalar product of two tensors. */
async function dot(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const [left, right] = [await valuesOf(a), await valuesOf(b)];
  return left.reduce((sum, value, i) => sum + value * (right[i] ?? Number.NaN), 0);
}

/** The value of a map at (row, column), clamped to its edges. */
type Sample = (row: number, column: number) => number;

/** Bilinear enlargement with aligned corners, from its definition. */
function bilinearAt(
  sample: Sample,
  [height, width]: [number, number],
  size: number,
  row: number,
  column: number,
): number {
  const at = (index: number, length: number) => (length * size > 1 ? (index * (length - 1)) / (length * size - 1) : 0);
  const [y, x] = [at(row, height), at(column, width)];
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, right] = [y - top, x - left];
  const bottom = Math.min(top + 1, height - 1);
  const far = Math.min(left + 1, width - 1);
  return (
    (1 - down) * ((1 - right) * sample(top, left) + right * sample(top, far)) +
    down * ((1 - right) * sample(bottom, left) + right * sample(bottom, far))
  );
}

const nearestAt = (sample: Sample, _: [number, number], size: number, row: number, column: number) =>
  sample(Math.floor(row / size), Math.floor(column / size));

describeBackends('enlargements', () => {
  const enlargements = [
    ['bilinear', bilinearUpsampling, bilinearAt],
    ['nearest', nearestUpsampling, nearestAt],
  ] as const;

  test.each(enlargements)('%s follows its definition, and its gradient is the adjoint', async (_, make, valueAt) => {
    const length = fc.integer({ min: 1, max: 5 });
    const parameters = [fc.integer({ min: 1, max: 2 }), length, length, fc.integer({ min: 1, max: 3 })] as const;
    await fc.assert(
      fc.asyncProperty(...parameters, fc.integer({ min: 1, max: 3 }), async (batch, height, width, channels, size) => {
        const layer = make({ size });
        const [x, other] = [image([batch, height, width, channels]), image([batch, height, width, channels], 3)];
        const dy = image([batch, height * size, width * size, channels], 2);
        const [y, otherY] = [run(layer, x), run(layer, other)];
        const dx = tf.grad((input) => run(layer, input))(x, dy);
        expect(y.shape).toEqual([batch, height * size, width * size, channels]);
        expect(dx.shape).toEqual(x.shape);
        const [from, to] = [await x.array(), (await y.array()) as number[][][][]];
        to.forEach((map, n) => {
          map.forEach((line, row) => {
            line.forEach((pixel, column) => {
              pixel.forEach((value, c) => {
                const sample: Sample = (i, j) => from[n]?.[i]?.[j]?.[c] ?? Number.NaN;
                expect(value).toBeCloseTo(valueAt(sample, [height, width], size, row, column), 5);
              });
            });
          });
        });
        // <enlarge(x), dy> = <x, gradient(dy)> for a linear map.
        expect(await dot(x, dx)).toBeCloseTo(await dot(y, dy), 4);
        // The adjoint sees each pixel alone, too.
        expect(await dot(other, dx)).toBeCloseTo(await dot(otherY, dy), 4);
        tf.dispose([x, other, dy, y, otherY, dx]);
      }),
      { numRuns: 40, seed: 11 },
    );
  });

  test.each(enlargements)('%s leaves no tensor, also in a gradient', (_, make) => {
    const x = image([2, 3, 4, 2]);
    const before = tf.memory().numTensors;
    run(make(), x).dispose();
    tf.grad((input) => tf.sum(tf.square(run(make(), input))))(x).dispose();
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });

  test.each(enlargements)('%s describes itself, with free sizes too', (_, make) => {
    const layer = make({ size: 3, name: 'a/b' });
    expect(copy(layer).getConfig()).toEqual(layer.getConfig());
    expect(shapeOf(layer, [null, 5, 2])).toEqual([null, null, 15, 2]);
    expect(() => make({ size: 1.5 })).toThrow(
      new InvalidArgumentError('size must be a whole number >= 1. Received: size=1.5.'),
    );
  });
});

describeBackends('crop', () => {
  test('leaves out the edges, and its gradient is zero there', async () => {
    const layer = crop({
      cropping: [
        [1, 0],
        [2, 1],
      ],
    });
    const x = tf.tensor4d([...new Array(2 * 3 * 5).keys()], [2, 3, 5, 1]);
    const y = run(layer, x);
    expect(y.shape).toEqual([2, 2, 2, 1]);
    expect(await valuesOf(y)).toEqual([7, 8, 12, 13, 22, 23, 27, 28]);
    const dx = tf.grad((input) => tf.sum(run(layer, input)))(x);
    const kept = new Set(await valuesOf(y));
    expect(await valuesOf(dx)).toEqual((await valuesOf(x)).map((value) => (kept.has(value) ? 1 : 0)));
    tf.dispose([x, y, dx]);
  });

  test('knows its shape where sizes are free, and refuses to leave nothing', () => {
    const cropping: [[number, number], [number, number]] = [
      [1, 0],
      [0, 2],
    ];
    const layer = crop({ cropping, name: 'tail' });
    expect(copy(layer).getConfig()).toEqual(layer.getConfig());
    expect(shapeOf(layer, [null, 7, 4])).toEqual([null, null, 5, 4]);
    const message = "The layer 'tail' crops 0 + 2 pixels of the width and needs more than that. Received: width 2.";
    expect(() => shapeOf(crop({ cropping, name: 'tail' }), [4, 2, 1])).toThrow(new InvalidArgumentError(message));
    tf.tidy(() => {
      expect(() => run(crop({ cropping, name: 'tail' }), tf.zeros([1, 4, 2, 1]))).toThrow(message);
    });
    const illegal = [[1, 0]] as unknown as typeof cropping;
    expect(() => crop({ cropping: illegal })).toThrow(
      new InvalidArgumentError(
        'cropping must be [[top, bottom], [left, right]] in whole pixels >= 0. Received: cropping=[[1,0]].',
      ),
    );
  });
});

describeBackends('dropout', () => {
  test('drops its share in training and keeps the mean; inference changes nothing', async () => {
    const x = tf.ones([2, 32, 32, 8]);
    const layer = dropout({ rate: 0.25, seed: 0, name: 'drop' });
    const inference = run(layer, x);
    expect(await valuesOf(inference)).toEqual(await valuesOf(x));
    expect(layer.calls).toBe(0);
    const training = run(layer, x, true);
    const values = await valuesOf(training);
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    expect(values.filter((value) => value === 0).length / values.length).toBeCloseTo(0.25, 1);
    const kept = run(dropout({ rate: 0 }), x, true);
    expect(await valuesOf(kept)).toEqual(await valuesOf(x));
    tf.dispose([x, inference, training, kept]);
  });

  test('the mask follows from seed, name and call, the same on every backend', async () => {
    const mask = async (layer: Dropout) => {
      const y = tf.tidy(() => run(layer, tf.ones([1, 4, 4, 1]), true));
      const text = (await valuesOf(y)).map((v) => (v > 0 ? 1 : 0)).join('');
      y.dispose();
      return text;
    };
    const layer = dropout({ rate: 0.5, seed: 3, name: 'drop' });
    const masks = [await mask(layer), await mask(layer)];
    expect(masks).toMatchInlineSnapshot(`
      [
        "0111000001100000",
        "0111010000000101",
      ]
    `);
    layer.calls = 1;
    expect(await mask(layer)).toBe(masks[1]);
    expect(await mask(copy(layer))).toBe(masks[0]);
    expect(await mask(dropout({ rate: 0.5, seed: 4, name: 'drop' }))).not.toBe(masks[0]);
    expect(await mask(dropout({ rate: 0.5, seed: 3, name: 'other' }))).not.toBe(masks[0]);
    expect(await mask(dropout({ rate: 0.5, name: 'drop' }))).not.toBe(await mask(dropout({ rate: 0.5, name: 'drop' })));
  });

  test('the gradient passes where the value passed; no tensor is left', async () => {
    const x = image([1, 4, 4, 2]);
    const before = tf.memory().numTensors;
    const layer = dropout({ rate: 0.5, seed: 1 });
    const y = run(layer, x, true);
    layer.calls = 0;
    const dx = tf.grad((input) => tf.sum(run(layer, input, true)))(x);
    const expected = (await valuesOf(y)).map((value) => (value === 0 ? 0 : 2));
    expect(await valuesOf(dx)).toEqual(expected);
    tf.dispose([y, dx]);
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });

  test.each([-0.1, 1, Number.NaN])('refuses the rate %d', (rate) => {
    expect(() => dropout({ rate })).toThrow(
      new InvalidArgumentError(`rate must be a number in [0, 1). Received: rate=${rate}.`),
    );
  });

  test('refuses a seed that is no whole number', () => {
    expect(() => dropout({ rate: 0.5, seed: 1.5 })).toThrow('A seed must be an integer (0 is legal). Received: 1.5.');
  });
});

describe('the check of sizes', () => {
  test('passes legal sizes, names itself and refuses others', () => {
    const guard = new SizeGuard({ divisor: 8, name: 'size' });
    expect(copy(guard).getConfig()).toEqual(guard.getConfig());
    expect(shapeOf(guard, [null, 16, 3])).toEqual([null, null, 16, 3]);
    expect(() => shapeOf(new SizeGuard({ divisor: 8 }), [4, 16, 3])).toThrow(
      new InvalidArgumentError(
        'This network needs height and width that are multiples of 8. Received: 4x16. Pad, crop or resize the image to a legal size (height x width): the nearest is 8x16.',
      ),
    );
    expect(() => new SizeGuard({ divisor: 0 })).toThrow(
      new InvalidArgumentError('divisor must be a whole number >= 1. Received: divisor=0.'),
    );
  });
});

describe('unknown options', () => {
  test.each([
    [
      'Crop',
      () =>
        crop({
          cropping: [
            [0, 0],
            [0, 0],
          ],
          size: 2,
        } as Parameters<typeof crop>[0]),
      'size',
    ],
    ['Dropout', () => dropout({ rate: 0.5, noiseShape: [1] } as Parameters<typeof dropout>[0]), 'noiseShape'],
    ['BilinearUpsampling', () => bilinearUpsampling({ interpolation: 'cubic' } as object), 'interpolation'],
    ['NearestUpsampling', () => nearestUpsampling({ sise: 2 } as object), 'sise'],
  ])('%s refuses them', (title, call, key) => {
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(new RegExp(`^${title} has no option '${key}'. Its options are `));
  });
});
