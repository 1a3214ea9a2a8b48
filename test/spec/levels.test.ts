/** Levels from a layer's options: the defaults of the papers, 'auto' groups, and each refusal by its text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { type LevelOptions, planLevels, resolveLevels } from '../../src/spec/index.js';

describe('resolveLevels', () => {
  it.each([
    { count: 4, kernelSizes: [3, 5, 7, 9], groups: [1, 4, 8, 16], filters: [8, 8, 16, 32] },
    { count: 3, kernelSizes: [3, 5, 7], groups: [1, 4, 8], filters: [16, 16, 32] },
    { count: 2, kernelSizes: [3, 5], groups: [1, 4], filters: [32, 32] },
    { count: 1, kernelSizes: [3], groups: [1], filters: [64] },
  ])('has the defaults of the papers for $count levels', ({ count, kernelSizes, groups, filters }) => {
    const options = { filters: 64, ...(count === 4 ? {} : { kernelSizes }) };
    expect(resolveLevels(options, 64)).toEqual(
      kernelSizes.map((kernelSize, i) => ({ kernelSize, groups: groups[i], filters: filters[i] })),
    );
  });

  it("splits by Duta's own shares where told so", () => {
    const levels = resolveLevels({ filters: 64, split: [1 / 4, 1 / 4, 1 / 4, 1 / 4] }, 64);
    expect(levels.map((level) => level.filters)).toEqual([16, 16, 16, 16]);
  });

  it('takes the number of levels from any list', () => {
    expect(resolveLevels({ filters: 64, groups: [1, 2] }, 64).map((l) => l.kernelSize)).toEqual([3, 5]);
    expect(resolveLevels({ filters: [8, 8, 8] }, 64).map((l) => l.kernelSize)).toEqual([3, 5, 7]);
    expect(resolveLevels({ filters: 64, split: [1 / 2, 1 / 2] }, 64).map((l) => l.groups)).toEqual([1, 4]);
  });

  it.each([
    { channels: 3, filters: 32, expected: [1, 1, 1, 1] },
    { channels: 8, filters: 32, expected: [1, 4, 8, 8] },
    { channels: 6, filters: 32, expected: [1, 2, 2, 2] },
    { channels: 512, filters: 512, expected: [1, 4, 8, 16] },
    { channels: 64, filters: 8, expected: [1, 1, 2, 4] },
  ])("'auto' gives groups $expected for $channels channels and $filters filters", ({ channels, filters, expected }) => {
    expect(resolveLevels({ filters, groups: 'auto' }, channels).map((l) => l.groups)).toEqual(expected);
  });

  it("'auto' groups are the largest legal powers of two below the defaults", () => {
    const limits = [1, 4, 8, 16];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 96 }), fc.integer({ min: 1, max: 24 }), (channels, eighth) => {
        const filters = eighth * 8;
        for (const [i, level] of resolveLevels({ filters, groups: 'auto' }, channels).entries()) {
          const legal = (groups: number) => channels % groups === 0 && level.filters % groups === 0;
          const candidates = [1, 2, 4, 8, 16].filter((groups) => groups <= (limits[i] ?? 0) && legal(groups));
          expect(level.groups).toBe(Math.max(...candidates));
        }
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  const refusals: [string, LevelOptions, string][] = [
    [
      'lists of different length',
      { filters: 8, kernelSizes: [3, 5], groups: [1] },
      'A pyramidal convolution needs one entry per level in each list, and at least one level. Received: kernelSizes=[3, 5], groups=[1]. Give the lists the same length.',
    ],
    [
      'no level',
      { filters: 8, kernelSizes: [] },
      'A pyramidal convolution needs one entry per level in each list, and at least one level. Received: kernelSizes=[]. Give the lists the same length.',
    ],
    [
      'a number for a list',
      { filters: 8, groups: 2 as unknown as number[] },
      'A pyramidal convolution needs one entry per level in each list, and at least one level. Received: groups=2. Give the lists the same length.',
    ],
    [
      'shares that add up to something else',
      { filters: 8, split: [1 / 2, 1 / 4] },
      'split must hold positive shares that add up to 1. Received: split=[0.5, 0.25] (sum 0.75).',
    ],
    [
      'a negative share',
      { filters: 8, split: [1.5, -0.5] },
      'split must hold positive shares that add up to 1. Received: split=[1.5, -0.5] (sum 1).',
    ],
    [
      'filters that the shares do not divide',
      { filters: 12 },
      'filters=12 cannot be split by [0.125, 0.125, 0.25, 0.5] into whole numbers of channels. Choose filters that the shares divide (the nearest that the groups divide too: filters: 32), another split, or give filters per level.',
    ],
    [
      'filters that the shares do not divide, of any groups',
      { filters: 12, groups: 'auto' },
      'filters=12 cannot be split by [0.125, 0.125, 0.25, 0.5] into whole numbers of channels. Choose filters that the shares divide (the nearest that the groups divide too: filters: 16), another split, or give filters per level.',
    ],
    [
      'filters that a split of no small whole numbers divides',
      { filters: 3, split: [0.12345678, 0.87654322], kernelSizes: [3, 5] },
      'filters=3 cannot be split by [0.12345678, 0.87654322] into whole numbers of channels. Choose filters that the shares divide, another split, or give filters per level.',
    ],
    [
      'no filters',
      { filters: 0 },
      'filters must be a positive whole number, or one for each level. Received: filters=0.',
    ],
    [
      'a fractional number of filters',
      { filters: 6.5, kernelSizes: [3] },
      'filters must be a positive whole number, or one for each level. Received: filters=6.5.',
    ],
    [
      'a negative level',
      { filters: [8, -8] },
      'filters must be a positive whole number, or one for each level. Received: filters=[8, -8].',
    ],
    [
      'filters left out',
      {} as LevelOptions,
      'filters must be a positive whole number, or one for each level. Received: filters=undefined.',
    ],
    [
      'filters per level and shares',
      { filters: [4, 4], split: [1 / 2, 1 / 2] },
      'filters per level leave nothing to split. Received: filters=[4, 4], split=[0.5, 0.5]. Give one number of filters with split, or leave split out.',
    ],
    [
      'an even kernel',
      { filters: 8, kernelSizes: [4] },
      'kernelSizes must hold odd positive whole numbers, one for each level. Received: kernelSizes=[4].',
    ],
    [
      'a kernel size of two numbers',
      { filters: 8, kernelSizes: [[3, 3] as unknown as number] },
      'kernelSizes must hold odd positive whole numbers, one for each level. Received: kernelSizes=[[3, 3]].',
    ],
    [
      'groups of 0',
      { filters: 8, kernelSizes: [3], groups: [0] },
      "groups must be 'auto', or hold positive whole numbers, one for each level. Received: groups=[0].",
    ],
    [
      'another word for groups',
      { filters: 8, groups: 'depthwise' as 'auto' },
      'groups must be \'auto\', or hold positive whole numbers, one for each level. Received: groups="depthwise".',
    ],
    [
      'five levels without kernel sizes',
      { filters: [8, 8, 8, 8, 8] },
      'There are defaults for 1 to 4 levels only. Received 5 levels without kernelSizes: give kernelSizes with one entry per level.',
    ],
    [
      'five levels without groups',
      { filters: [8, 8, 8, 8, 8], kernelSizes: [3, 5, 7, 9, 11] },
      'There are defaults for 1 to 4 levels only. Received 5 levels without groups: give groups with one entry per level.',
    ],
  ];
  it.each(refusals)('refuses %s, before the input is known', (_, options, message) => {
    expect(() => planLevels(options)).toThrow(InvalidArgumentError);
    expect(() => planLevels(options)).toThrow(new InvalidArgumentError(message));
    expect(() => resolveLevels(options, 8)).toThrow(new InvalidArgumentError(message));
  });
});

it.each([1, 12, 30, 33, 47, 100])('the filters that a refusal of %i suggests are legal', (filters) => {
  const suggested = (() => {
    try {
      planLevels({ filters });
    } catch (error) {
      return /filters: (\d+)\)/.exec(String(error))?.[1];
    }
    return undefined;
  })();
  const { filters: parts, groups } = planLevels({ filters: Number(suggested) });
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(Number(suggested));
  expect(parts.map((part, i) => part % (groups[i] ?? 0))).toEqual([0, 0, 0, 0]);
});
