/** The figure of a pyramidal convolution says what its specification says. */
import '@tensorflow/tfjs-backend-cpu';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pyConvFigure, pyConvSpecOf } from '../../src/figures/index.js';
import { create } from '../../src/models/index.js';
import { pyConvSpec } from '../../src/spec/index.js';
import { descendants, having, parseXml, type XmlElement } from './xml.js';

/** 64 channels, the paper's four levels. */
const paper = pyConvSpec(
  [1, 32, 48, 64],
  [
    [3, 3, 64, 8],
    [5, 5, 16, 8],
    [7, 7, 8, 16],
    [9, 9, 4, 32],
  ],
  { groups: [1, 4, 8, 16] },
);

const linesOf = (element: XmlElement | undefined) =>
  element?.children.filter(({ name }) => name === 'text').map(({ text }) => text);

test('each level shows its kernel, groups, filters and counts', () => {
  const root = parseXml(pyConvFigure(paper));
  const levels = having(root, 'data-level');
  expect(levels.map(linesOf)).toEqual([
    // 9 * 64 * 8 weights, times 32 * 48 pixels.
    ['Level 1: 3×3, 1 group', '8 filters of 3×3×64', '64 → 8 channels', '4,608 params, 7.08 MMAC'],
    ['Level 2: 5×5, 4 groups', '8 filters of 5×5×16', 'each group 16 → 2 channels', '3,200 params, 4.92 MMAC'],
    ['Level 3: 7×7, 8 groups', '16 filters of 7×7×8', 'each group 8 → 2 channels', '6,272 params, 9.63 MMAC'],
    ['Level 4: 9×9, 16 groups', '32 filters of 9×9×4', 'each group 4 → 2 channels', '10,368 params, 15.9 MMAC'],
  ]);
  const texts = descendants(root).map(({ text }) => text);
  expect(texts).toContain('4 levels, 64 → 64 channels');
  // The paper's 0.6632 of a dense 3x3 convolution.
  expect(texts.join(' ')).toContain(
    'Together 24,448 parameters and 37.6 MMAC for one image, without biases: 0.66 of an',
  );
  expect(root.children[1]?.text).toContain('level 4: 32 filters of 9×9 in 16 groups.');
});

test('kernels are grids of their size, and bars have as many parts as groups', () => {
  const levels = having(parseXml(pyConvFigure(paper)), 'data-level');
  const grids = levels.map((level) => descendants(level).find(({ attributes }) => attributes.get('fill') === 'none'));
  // k - 1 lines each way.
  expect(grids.map((grid) => grid?.attributes.get('d')?.split('M').length)).toEqual([5, 9, 13, 17]);
  const rects = levels.map((level) => descendants(level).filter(({ name }) => name === 'rect').length);
  expect(rects).toEqual([1, 4, 8, 16].map((groups) => 1 + 2 * groups));
});

test('strides and dilations are told where there are any', () => {
  const strided = pyConvSpec([1, 32, 32, 4], [[3, 3, 4, 4]], { strides: 2 });
  expect(pyConvFigure(strided)).toContain('1 level, 4 → 4 channels, stride 2<');
  const dilated = pyConvSpec([1, 32, 32, 4], [[3, 3, 4, 4]], { dilations: [2, 3] });
  expect(pyConvFigure(dilated)).toContain('channels, dilation 2×3<');
});

const level = fc.record({
  half: fc.integer({ min: 0, max: 20 }),
  groups: fc.constantFrom(1, 2, 4, 32, 128),
  perGroup: fc.integer({ min: 1, max: 3 }),
});

test('any number of levels: each once, inside the figure, in legal numbers', () => {
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 9 }), fc.string({ unit: 'binary' }), (levels, title) => {
      const shapes = levels.map(({ half, groups, perGroup }) => {
        const kernelSize = 2 * half + 1;
        return [kernelSize, kernelSize, 128 / groups, groups * perGroup] as const;
      });
      const spec = pyConvSpec([1, 16, 16, 128], shapes, { groups: levels.map(({ groups }) => groups) });
      const svg = pyConvFigure(spec, { title });
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      const root = parseXml(svg);
      const drawn = having(root, 'data-level').map(({ attributes }) => [
        Number(attributes.get('data-kernel')),
        Number(attributes.get('data-groups')),
        Number(attributes.get('data-filters')),
      ]);
      expect(drawn).toEqual(levels.map(({ half, groups, perGroup }) => [2 * half + 1, groups, groups * perGroup]));
      const [, , width = 0, height = 0] = (root.attributes.get('viewBox') ?? '').split(' ').map(Number);
      for (const { attributes } of having(root, 'y')) {
        const [x, y] = [Number(attributes.get('x')), Number(attributes.get('y'))];
        expect(x >= 0 && x < width && y >= 0 && y < height).toBe(true);
      }
    }),
    { numRuns: 40, seed: 5 },
  );
});

test('a network gives the specification of its layers', () => {
  const model = create('pyconvunet', { widths: [8, 16, 32], seed: 0 });
  const inputShape = [64, 32, 3];
  expect(pyConvSpecOf(model, { inputShape }).output).toEqual({ height: 64, width: 32, channels: 8 });
  const spec = pyConvSpecOf(model, { inputShape, layer: 'encoder2/pyconv' });
  expect(spec.input).toEqual({ height: 32, width: 16, channels: 16 });
  expect(spec.levels.map(({ kernelSize }) => kernelSize)).toEqual([3, 5, 7, 9]);
  expect(() => pyConvSpecOf(model, { inputShape, layer: 'encoder2/reduce' })).toThrow(
    "The model 'pyconvunet' has no pyramidal convolution 'encoder2/reduce'. It has encoder1/pyconv, encoder2/pyconv, encoder3/pyconv, decoder2/pyconv, decoder1/pyconv.",
  );
  model.dispose();
  const plain = create('unet', { widths: [8, 16], seed: 0 });
  expect(() => pyConvSpecOf(plain, { inputShape })).toThrow(
    "The model 'unet' has no pyramidal convolution of several levels to draw. Draw its network, or choose pyconvunet.",
  );
  plain.dispose();
});
