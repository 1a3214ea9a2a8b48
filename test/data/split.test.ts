/** Splits: nothing lost, no group torn, independent of the order; batches of an epoch. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchIndices, epochOrder, folds, isOneGroup, packBatch, type Sample, split } from '../../src/data/index.js';

const items = (count: number, groupOf?: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => ({
    name: `n${i}`,
    ...(groupOf === undefined ? {} : { group: groupOf(i) }),
  }));
const names = (part: readonly { name: string }[]): string[] => part.map(({ name }) => name);

describe('split', () => {
  it('takes a fifth for validation', () => {
    const { train, validation, test } = split(items(267), { seed: 1 });
    expect([train.length, validation.length, test.length]).toEqual([214, 53, 0]);
  });

  it('takes a test part as well', () => {
    const { train, validation, test } = split(items(100), { seed: 1, validation: 0.1, test: 0.3 });
    expect([train.length, validation.length, test.length]).toEqual([60, 10, 30]);
  });

  it('loses nothing, tears no group and fills the parts, whatever the order', () => {
    const options = fc.record({
      count: fc.integer({ min: 3, max: 60 }),
      groups: fc.integer({ min: 3, max: 20 }),
      seed: fc.integer(),
      validation: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
      test: fc.constantFrom(0, 0.1, 0.4),
    });
    fc.assert(
      fc.property(options, fc.boolean(), ({ count, groups, seed, validation, test }, reversed) => {
        fc.pre(count >= groups);
        const all = items(count, (i) => `g${i % groups}`);
        const parts = split(all, { seed, validation, test });
        expect(names([...parts.train, ...parts.validation, ...parts.test]).sort()).toEqual(names(all).sort());
        const used = [parts.train, parts.validation, parts.test].map((part) => new Set(part.map(({ group }) => group)));
        expect(used[0].size + used[1].size + used[2].size).toBe(groups);
        expect(Math.min(parts.train.length, parts.validation.length)).toBeGreaterThan(0);
        expect(parts.test.length > 0).toBe(test > 0);
        expect(split(reversed ? all.reverse() : all, { seed, validation, test })).toEqual(parts);
      }),
      { seed: 1 },
    );
  });

  it('comes close to the share with groups of different sizes', () => {
    const sizes = [40, 1, 1, 30, 5, 5, 8, 10];
    const all = sizes.flatMap((size, g) =>
      Array.from({ length: size }, (_, i) => ({ name: `${g}_${i}`, group: `${g}` })),
    );
    for (let seed = 0; seed < 50; seed++) {
      const { validation } = split(all, { seed });
      // 20 of 100 are wanted; the group of 40 is passed over, and the one of 30 may come after the two single ones.
      expect(validation.length).toBeGreaterThanOrEqual(15);
      expect(validation.length).toBeLessThanOrEqual(32);
    }
    // Where every group is too large, the smallest is taken.
    const large = items(60, (i) => (i < 27 ? 'a' : i < 52 ? 'b' : 'c'));
    expect(split(large, { seed: 0, validation: 0.01 }).validation.length).toBe(8);
  });

  it('depends on the seed', () => {
    const parts = [0, 1, 2, 3].map((seed) => names(split(items(40), { seed }).validation).join());
    expect(new Set(parts).size).toBe(4);
  });

  it('says what cannot be split', () => {
    expect(() =>
      split(
        items(8, () => 'v1'),
        { seed: 0 },
      ),
    ).toThrow(
      '8 samples of 1 group cannot be split into training and validation without tearing a group. Add volumes or ' +
        'patients, group by a finer pattern, or leave the grouping out and say in your report that neighbouring slices ' +
        'lie in both parts; of one volume, take blocks of contiguous slices.',
    );
    expect(() => split(items(2), { seed: 0, test: 0.2 })).toThrow(
      '2 samples cannot be split into training, validation and test: each part needs at least one. Add images.',
    );
    expect(() => split([{ name: 'a' }, { name: 'a' }], { seed: 0 })).toThrow("Two samples have the name 'a'.");
    for (const shares of [{ validation: 0 }, { validation: 1 }, { test: -0.1 }, { validation: 0.5, test: 0.5 }]) {
      expect(() => split(items(9), { seed: 0, ...shares })).toThrow('validation must be above 0, test at least 0');
    }
  });
});

describe('batches', () => {
  it('visits every sample once in an epoch, in an order of seed and epoch', () => {
    const order = epochOrder(50, { seed: 3, epoch: 2 });
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(epochOrder(50, { seed: 3, epoch: 2 })).toEqual(order);
    expect(epochOrder(50, { seed: 3, epoch: 3 })).not.toEqual(order);
    expect(epochOrder(50, { seed: 2, epoch: 3 })).not.toEqual(order);
  });

  it('keeps the last partial batch', () => {
    expect(batchIndices([4, 0, 2, 1, 3], 2)).toEqual([[4, 0], [2, 1], [3]]);
    expect(batchIndices([1, 0], 5)).toEqual([[1, 0]]);
    for (const size of [0, 1.5, -1]) {
      expect(() => batchIndices([0], size)).toThrow(
        `A batch size must be a whole number of at least 1. Received: ${size}.`,
      );
    }
  });

  it('packs images as [n, h, w, c] and masks as [n, h, w]', () => {
    const sample = (name: string, first: number): Sample => ({
      name,
      width: 2,
      height: 1,
      channels: 3,
      image: Float32Array.from({ length: 6 }, (_, i) => first + i),
      mask: Uint8Array.of(first, 1),
    });
    expect(packBatch([sample('a', 0), sample('b', 10)])).toEqual({
      count: 2,
      height: 1,
      width: 2,
      channels: 3,
      images: Float32Array.of(0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15),
      masks: Uint8Array.of(0, 1, 10, 1),
      names: ['a', 'b'],
    });
    expect(() => packBatch([])).toThrow('A batch needs at least one sample. Received: none.');
    expect(() => packBatch([sample('a', 0), { ...sample('b', 0), width: 1, height: 2 }])).toThrow('b has 1 x 2 pixels');
  });
});

describe('blocks of one specimen', () => {
  const sections = Array.from({ length: 30 }, (_, i) => ({ name: `${i}`, group: 'volume' }));
  const numbers = (part: readonly { name: string }[]) => part.map(({ name }) => Number(name));
  const isContiguous = (values: readonly number[]) => values.every((v, i) => i === 0 || v === (values[i - 1] ?? 0) + 1);

  it('are contiguous in the order of counting, follow one another, and depend on the seed', () => {
    const starts = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const parts = split([...sections].reverse(), { seed, validation: 0.2, test: 0.1, blocks: true });
      expect([parts.train, parts.validation, parts.test].map(({ length }) => length)).toEqual([21, 6, 3]);
      expect(isContiguous([...numbers(parts.validation), ...numbers(parts.test)])).toBe(true);
      expect(new Set(numbers([...parts.train, ...parts.validation, ...parts.test])).size).toBe(30);
      starts.add(numbers(parts.validation)[0] ?? -1);
    }
    expect(starts.size).toBeGreaterThan(5);
  });

  it('need a sample for each part', () => {
    expect(() => split(sections.slice(0, 1), { seed: 0, blocks: true })).toThrow('each part needs at least one');
  });

  it('isOneGroup tells a stack from single images', () => {
    expect(isOneGroup(sections)).toBe(true);
    expect(isOneGroup([...sections, { name: 'x', group: 'other' }])).toBe(false);
    expect(isOneGroup([{ name: 'a' }, { name: 'b' }])).toBe(false);
  });
});

describe('folds', () => {
  const grouped = Array.from({ length: 23 }, (_, i) => ({ name: `v${i % 7}_s${i}`, group: `v${i % 7}` }));

  it('validate every sample once, groups whole, beside one test part', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.integer(), fc.boolean(), (count, seed, withTest) => {
        const parts = folds(grouped, { seed, folds: count, test: withTest ? 0.15 : 0 });
        const tested = parts[0]?.test ?? [];
        expect(tested.length > 0).toBe(withTest);
        expect(parts).toHaveLength(count);
        const validated = parts.flatMap(({ validation }) => names(validation));
        expect([...validated, ...names(tested)].sort()).toEqual(names(grouped).sort());
        for (const { train, validation, test } of parts) {
          expect([...names(train), ...names(validation), ...names(test)].sort()).toEqual(names(grouped).sort());
          expect(test).toEqual(tested);
          const inTraining = new Set(train.map(({ group }) => group));
          expect([...validation, ...test].some(({ group }) => inTraining.has(group))).toBe(false);
        }
      }),
    );
  });

  it('are contiguous blocks of one specimen', () => {
    const sections = Array.from({ length: 30 }, (_, i) => ({ name: `${i}`, group: 'volume' }));
    const parts = folds(sections, { seed: 3, folds: 4, blocks: true });
    expect(parts.map(({ validation }) => validation.map(({ name }) => Number(name)))).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [8, 9, 10, 11, 12, 13, 14],
      [15, 16, 17, 18, 19, 20, 21, 22],
      [23, 24, 25, 26, 27, 28, 29],
    ]);
  });

  it('say what they cannot do', () => {
    expect(() => folds(grouped, { seed: 0, folds: 1 })).toThrow(
      'folds must be a whole number of at least 2. Received: 1.',
    );
    expect(() => folds(grouped, { seed: 0, folds: 8 })).toThrow(
      '8 folds need at least 8 groups (patients or volumes; else images). Received: 7.',
    );
  });
});
