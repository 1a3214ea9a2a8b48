/** The specification of a pyramidal convolution: geometry, counts, free sizes, and each refusal by its text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { countPyConv, type PyConvOptions, pyConvOutputShape, pyConvSpec } from '../../src/spec/index.js';

type Filters = readonly (readonly number[])[];
const NHWC = [2, 12, 9, 8] as const;
const TWO: Filters = [
  [3, 3, 8, 4],
  [5, 5, 2, 4],
];

describe('pyConvSpec', () => {
  it('resolves levels, slices of the output, and padding as TensorFlow does it', () => {
    const spec = pyConvSpec(NHWC, TWO, { groups: [1, 4], strides: [2, 1], activation: 'relu' });
    expect(spec).toEqual({
      batch: 2,
      input: { height: 12, width: 9, channels: 8 },
      output: { height: 6, width: 9, channels: 8 },
      levels: [
        // 12 rows at stride 2 need one row more for kernel 3 and three more for kernel 5: the surplus goes to the end.
        { kernelSize: 3, groups: 1, channels: { start: 0, end: 4 }, padding: { top: 0, bottom: 1, left: 1, right: 1 } },
        { kernelSize: 5, groups: 4, channels: { start: 4, end: 8 }, padding: { top: 1, bottom: 2, left: 2, right: 2 } },
      ],
      strides: [2, 1],
      dilations: [1, 1],
      activation: 'relu',
    });
    expect(Object.isFrozen(spec)).toBe(true);
  });

  it("pads by numbers on both sides, as PyTorch does, and by nothing for 'valid'", () => {
    const symmetric = pyConvSpec([1, 12, 9, 8], TWO, { groups: [1, 4], padding: [1, 2], strides: 2 });
    expect(symmetric.levels.map((l) => l.padding)).toEqual([
      { top: 1, bottom: 1, left: 1, right: 1 },
      { top: 2, bottom: 2, left: 2, right: 2 },
    ]);
    expect(symmetric.output).toEqual({ height: 6, width: 5, channels: 8 });
    const valid = pyConvSpec([1, 12, 9, 8], [[3, 3, 8, 4]], { padding: 'valid', dilations: [2, 1] });
    expect(valid.levels[0]?.padding).toEqual({ top: 0, bottom: 0, left: 0, right: 0 });
    expect(valid.output).toEqual({ height: 8, width: 7, channels: 4 });
  });

  it('gives free sizes the shape that known sizes get', () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), (h, w, s, d) => {
        const options: PyConvOptions = { groups: [1, 4], strides: s, dilations: d };
        const { output } = pyConvSpec([1, h, w, 8], TWO, options);
        expect(pyConvOutputShape([null, h, w, 8], TWO, options)).toEqual([null, output.height, output.width, 8]);
        expect(pyConvOutputShape([3, null, w, 8], TWO, options)).toEqual([3, null, output.width, 8]);
        expect(pyConvOutputShape([null, h, null, 8], TWO, options)).toEqual([null, output.height, null, 8]);
      }),
      { numRuns: 50, seed: 5 },
    );
  });

  it('counts parameters and multiply-accumulates with the real groups', () => {
    const spec = pyConvSpec([7, 10, 6, 8], TWO, { groups: [1, 4], strides: [1, 2] });
    // 3*3*8*4 + 5*5*(8/4)*4 weights, each used once at 10 x 3 output pixels; the batch is not counted.
    expect(countPyConv(spec)).toEqual({ parameters: 488, macs: 488 * 30 });
  });

  const refusals: [string, readonly [number, number, number, number], Filters, PyConvOptions, string][] = [
    ['no level', NHWC, [], {}, 'A pyramidal convolution needs at least one level. Received: filters=[].'],
    [
      'an even kernel',
      NHWC,
      [
        [3, 3, 8, 4],
        [4, 4, 8, 4],
      ],
      {},
      'The filter of level 2 must have the shape [k, k, inputChannels / groups, filters] with k odd. Received: shape=[4, 4, 8, 4].',
    ],
    [
      'an oblong kernel',
      NHWC,
      [[3, 5, 8, 4]],
      {},
      'The filter of level 1 must have the shape [k, k, inputChannels / groups, filters] with k odd. Received: shape=[3, 5, 8, 4].',
    ],
    [
      'a filter of rank 3',
      NHWC,
      [[3, 3, 8]],
      {},
      'The filter of level 1 must have the shape [k, k, inputChannels / groups, filters] with k odd. Received: shape=[3, 3, 8].',
    ],
    [
      'groups that do not divide the input',
      NHWC,
      [[3, 3, 2, 6]],
      { groups: 3 },
      "The groups of level 1 must be a positive whole number that divides both its input channels and its filters. Received: groups=3, inputChannels=8, filters=6. Choose other groups; the layer PyConv2D also takes groups: 'auto'.",
    ],
    [
      'groups that do not divide the filters',
      NHWC,
      [
        [3, 3, 8, 4],
        [5, 5, 2, 6],
      ],
      { groups: [1, 4] },
      "The groups of level 2 must be a positive whole number that divides both its input channels and its filters. Received: groups=4, inputChannels=8, filters=6. Choose other groups; the layer PyConv2D also takes groups: 'auto'.",
    ],
    [
      'groups of 0',
      NHWC,
      [[3, 3, 8, 4]],
      { groups: 0 },
      "The groups of level 1 must be a positive whole number that divides both its input channels and its filters. Received: groups=0, inputChannels=8, filters=4. Choose other groups; the layer PyConv2D also takes groups: 'auto'.",
    ],
    [
      'a filter of the wrong depth',
      NHWC,
      [[3, 3, 8, 4]],
      { groups: 2 },
      'The filter of level 1 must have inputChannels / groups = 8 / 2 = 4 as its third dimension. Received: shape=[3, 3, 8, 4].',
    ],
    [
      'groups for another number of levels',
      NHWC,
      TWO,
      { groups: [1] },
      'groups must be a whole number, or a list with one for each of the 2 levels. Received: groups=[1].',
    ],
    [
      "groups: 'auto', which is the layer's",
      NHWC,
      TWO,
      { groups: 'auto' as unknown as number },
      'groups must be a whole number, or a list with one for each of the 2 levels. Received: groups="auto". The layer PyConv2D takes groups: \'auto\'.',
    ],
    [
      'a padding of sides',
      NHWC,
      TWO,
      { groups: [1, 4], padding: { top: 1 } as unknown as number },
      `padding must be 'same', 'valid', a whole number >= 0, or one such number for each of the 2 levels. Received: padding={"top":1}.`,
    ],
    [
      'a list of lists for a kernel size',
      NHWC,
      [[[3, 3] as unknown as number, [3, 3] as unknown as number, 8, 4]],
      {},
      'The filter of level 1 must have the shape [k, k, inputChannels / groups, filters] with k odd. Received: shape=[[3, 3], [3, 3], 8, 4].',
    ],
    [
      'an activation that is not fused',
      NHWC,
      TWO,
      { groups: [1, 4], activation: 'softplus' as 'relu' },
      'activation must be one of linear, relu, relu6, elu, sigmoid, tanh. Received: activation="softplus".',
    ],
    [
      'a stride of 0',
      NHWC,
      TWO,
      { groups: [1, 4], strides: 0 },
      'strides must be a positive whole number or [rows, columns] of such. Received: strides=0.',
    ],
    [
      'three strides',
      NHWC,
      TWO,
      { groups: [1, 4], strides: [1, 2, 3] as unknown as [number, number] },
      'strides must be a positive whole number or [rows, columns] of such. Received: strides=[1, 2, 3].',
    ],
    [
      'half a dilation',
      NHWC,
      TWO,
      { groups: [1, 4], dilations: [1, 0.5] },
      'dilations must be a positive whole number or [rows, columns] of such. Received: dilations=[1, 0.5].',
    ],
    [
      'a negative padding',
      NHWC,
      TWO,
      { groups: [1, 4], padding: -1 },
      "padding must be 'same', 'valid', a whole number >= 0, or one such number for each of the 2 levels. Received: padding=-1.",
    ],
    [
      'padding for another number of levels',
      NHWC,
      TWO,
      { groups: [1, 4], padding: [1, 2, 3] },
      "padding must be 'same', 'valid', a whole number >= 0, or one such number for each of the 2 levels. Received: padding=[1, 2, 3].",
    ],
    [
      'a padding that is unknown',
      NHWC,
      TWO,
      { groups: [1, 4], padding: 'causal' as 'same' },
      "padding must be 'same', 'valid', a whole number >= 0, or one such number for each of the 2 levels. Received: padding=\"causal\".",
    ],
    [
      'levels of different size',
      NHWC,
      TWO,
      { groups: [1, 4], padding: 'valid', dilations: [2, 1] },
      "All levels must give the same height: kernel 3 with padding 0 gives 8, kernel 5 with padding 0 gives 4. Use padding 'same', or one number per level such as [2, 4].",
    ],
    [
      'an image smaller than the kernel',
      [1, 12, 2, 8],
      [[3, 3, 8, 4]],
      { padding: 'valid' },
      "The input is too small: width=2 leaves no output for kernels [3] with dilation 1. Give a larger image or padding 'same'.",
    ],
    [
      'an empty image',
      [1, 0, 4, 8],
      [[3, 3, 8, 4]],
      {},
      "The input is too small: height=0 leaves no output for kernels [3] with dilation 1. Give a larger image or padding 'same'.",
    ],
  ];
  it.each(refusals)('refuses %s', (_, shape, filters, options, message) => {
    expect(() => pyConvSpec(shape, filters, options)).toThrow(InvalidArgumentError);
    expect(() => pyConvSpec(shape, filters, options)).toThrow(new InvalidArgumentError(message));
    expect(() => pyConvOutputShape(shape, filters, options)).toThrow(new InvalidArgumentError(message));
  });
});
