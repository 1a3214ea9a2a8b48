/** The paper's closed forms (eqs. 5 to 8) by hand, and where the real groups differ from them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pyConv, standardConv } from '../../src/complexity/index.js';

describe('standardConv', () => {
  it('is K1^2 FMi FMo parameters (eq. 5) and W H times as many multiply-accumulates (eq. 6)', () => {
    const cost = standardConv({ kernelSize: 3, inputChannels: 10, filters: 7, height: 5, width: 4 });
    expect(cost).toEqual({ params: 630, macs: 12_600 });
  });

  it.each([
    [{ filters: 0 }, 'filters must be a positive whole number. Received: filters=0.'],
    [{ kernelSize: 2.5 }, 'kernelSize must be a positive whole number. Received: kernelSize=2.5.'],
    [{ width: Number.NaN }, 'width must be a positive whole number. Received: width=NaN.'],
  ])('refuses %j', (wrong, message) => {
    const args = { kernelSize: 3, inputChannels: 10, filters: 7, height: 5, width: 4, ...wrong };
    expect(() => standardConv(args)).toThrow(message);
  });
});

describe('pyConv', () => {
  it('gives the ideal depth of eq. 7 and the real one of the groups', () => {
    const cost = pyConv({ inputChannels: 64, filters: 64, height: 8, width: 4 });
    const real = 9 * 64 * 8 + 25 * 16 * 8 + 49 * 8 * 16 + 81 * 4 * 32;
    expect(cost.closedForm).toEqual({ params: 9 * 64 * 64, macs: 9 * 64 * 64 * 32 });
    expect(cost.real).toEqual({ params: real, macs: real * 32 });
    expect(cost.levels).toEqual([
      { kernelSize: 3, groups: 1, filters: 8, idealDepth: 64, depth: 64 },
      { kernelSize: 5, groups: 4, filters: 8, idealDepth: (64 * 9) / 25, depth: 16 },
      { kernelSize: 7, groups: 8, filters: 16, idealDepth: (64 * 9) / 49, depth: 8 },
      { kernelSize: 9, groups: 16, filters: 32, idealDepth: (64 * 9) / 81, depth: 4 },
    ]);
  });

  it('costs really 0.6632 of a dense 3x3 convolution, with 1/4 each 0.7344: the numbers of the note', () => {
    const args = { inputChannels: 64, filters: 64, height: 1, width: 1 };
    const dense = standardConv({ ...args, kernelSize: 3 }).params;
    const paper = pyConv(args);
    const duta = pyConv({ ...args, split: [1 / 4, 1 / 4, 1 / 4, 1 / 4] });
    expect((paper.real.params / dense).toFixed(4)).toBe('0.6632');
    expect((duta.real.params / dense).toFixed(4)).toBe('0.7344');
    expect(paper.note).toContain('0.6632');
    expect(paper.note).toContain('0.7344');
    expect(paper.note).toContain('not from these formulas');
  });

  it('costs by the closed forms exactly what the convolution costs that it replaces', () => {
    const size = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(1, 2, 3, 4),
        size,
        size,
        (c, count, height, width) => {
          const channels = 16 * c;
          const kernelSizes = [3, 5, 7, 9].slice(0, count);
          const { closedForm, levels } = pyConv({
            inputChannels: channels,
            filters: channels,
            kernelSizes,
            groups: 'auto',
            height,
            width,
          });
          expect(closedForm).toEqual(
            standardConv({ kernelSize: 3, inputChannels: channels, filters: channels, height, width }),
          );
          // The terms of eq. 7 as they stand.
          const sum = levels.reduce((s, l) => s + l.kernelSize ** 2 * l.idealDepth * l.filters, 0);
          expect(sum).toBeCloseTo(closedForm.params, 4);
        },
      ),
      { numRuns: 50, seed: 7 },
    );
  });

  it('refuses what the layer refuses, and sizes that are none', () => {
    const args = { inputChannels: 6, filters: 8, height: 4, width: 4 };
    expect(() => pyConv(args)).toThrow(
      "The groups of level 2 must be a positive whole number that divides both its input channels and its filters. Received: groups=4, inputChannels=6, filters=1. Choose other groups; the layer PyConv2D also takes groups: 'auto'.",
    );
    expect(pyConv({ ...args, groups: 'auto' }).levels.map((level) => level.groups)).toEqual([1, 1, 2, 2]);
    expect(() => pyConv({ ...args, height: -1 })).toThrow(
      'height must be a positive whole number. Received: height=-1.',
    );
  });
});
