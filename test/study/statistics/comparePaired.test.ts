import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diceConfidence } from '../../../src/metrics/index.js';
import { InvalidArgumentError } from '../../../src/runtime/errors.js';
import { type ComparedCase, comparePaired } from '../../../src/study/statistics/index.js';
import { oracle } from './oracle.js';

/** Cases from [tp, fp, fn] per seed. */
function casesFrom(counts: readonly [number, number, number][][], groups: readonly (string | null)[] = []) {
  return counts.map((seeds, index): ComparedCase => {
    const group = groups[index] ?? null;
    return {
      name: `case ${index}`,
      counts: seeds.map(([tp, fp, fn]) => ({ tp, fp, fn })),
      ...(group === null ? {} : { group }),
    };
  });
}
const single = (...counts: [number, number, number][]) => casesFrom(counts.map((count) => [count]));

describe('comparePaired', () => {
  it.each(oracle.comparisons)('equals NumPy with the same draws, and SciPy: seed $seed, $n units', (entry) => {
    const { groups, seed, resamples, level, n } = entry;
    const a = casesFrom(entry.a, groups);
    const b = casesFrom(entry.b, groups);
    const result = comparePaired(a, b, { seed, resamples, level });
    expect(result).toMatchObject({
      level,
      n,
      unit: groups[0] === null ? 'image' : 'group',
      method: n > 50 ? 'normal' : 'exact',
    });
    expect(result.difference).toBeCloseTo(entry.difference, 13);
    expect(result.interval?.[0]).toBeCloseTo(entry.interval[0], 13);
    expect(result.interval?.[1]).toBeCloseTo(entry.interval[1], 13);
    expect(result.p).toBeCloseTo(entry.p, 12);
    // SciPy draws other units: both are within the noise of their resamples, a few per cent of the interval.
    const many = comparePaired(a, b, { seed, resamples: 5000, level });
    const noise = 0.05 * (entry.scipyInterval[1] - entry.scipyInterval[0]);
    entry.scipyInterval.forEach((end, i) => {
      expect(Math.abs((many.interval?.[i] ?? Number.NaN) - end)).toBeLessThan(noise);
    });
  });

  it('draws the same units for both models', () => {
    // Cases differ much, the models not at all: unpaired draws would give an interval as wide as the cases'.
    const a = single([90, 5, 5], [10, 60, 60], [50, 20, 30], [99, 1, 0]);
    const same = comparePaired(a, a);
    expect(same).toEqual({
      difference: 0,
      interval: [0, 0],
      level: 0.95,
      p: null,
      method: null,
      ranksFavour: null,
      unit: 'image',
      n: 4,
      reason: 'no difference of 4 is other than 0, so there is nothing to rank',
      note: 'rough: 4 images, fewer than 50',
    });
    const ends = diceConfidence(a.map(({ counts }) => ({ counts: counts.map((count) => ({ ...count, tn: 0 })) }))).dice;
    expect((ends?.[1] ?? 0) - (ends?.[0] ?? 0)).toBeGreaterThan(0.2);
  });

  it('averages over seeds after pooling over cases', () => {
    const a = casesFrom([
      [
        [10, 0, 0],
        [0, 0, 10],
      ],
      [
        [30, 0, 10],
        [40, 0, 0],
      ],
    ]);
    const b = single([0, 0, 10], [0, 0, 40]);
    const perSeed = [80 / 90, 80 / 90];
    expect(comparePaired(a, b).difference).toBeCloseTo((perSeed[0] + perSeed[1]) / 2, 14);
    expect(comparePaired(a, b)).toMatchObject({ p: 0.5, ranksFavour: 'a' });
    expect(comparePaired(b, a)).toMatchObject({ p: 0.5, ranksFavour: 'b' });
  });

  it('gives neither interval nor p for fewer than two units, and says why', () => {
    const counts: [number, number, number][][] = [[[5, 1, 1]], [[6, 1, 0]], [[7, 0, 0]]];
    const none = { interval: null, level: 0.95, p: null, method: null, ranksFavour: null };
    const grouped = comparePaired(
      casesFrom(counts, ['v', 'v', 'v']),
      casesFrom([...counts].reverse(), ['v', 'v', 'v']),
    );
    expect(grouped).toEqual({
      ...none,
      difference: 0,
      unit: 'group',
      n: 1,
      reason: 'all 3 images belong to one group; an interval and a test need at least two independent groups',
    });
    expect(comparePaired(single([5, 0, 0]), single([0, 0, 5]), { level: 0.9 })).toEqual({
      ...none,
      level: 0.9,
      difference: 1,
      unit: 'image',
      n: 1,
      reason: 'there is one image; an interval and a test need at least two independent images',
    });
    expect(comparePaired([], [])).toMatchObject({
      difference: null,
      n: 0,
      reason: 'there are no images; an interval and a test need at least two independent images',
    });
  });

  it('is not called rough from 50 units on', () => {
    const many = (n: number, tp: number) =>
      single(...Array.from({ length: n }, (_, i): [number, number, number] => [tp + i, 5, 7]));
    expect(comparePaired(many(50, 60), many(50, 50), { resamples: 50 })).not.toHaveProperty('note');
    expect(comparePaired(many(49, 60), many(49, 50), { resamples: 50 }).note).toBe('rough: 49 images, fewer than 50');
  });

  it('follows the empty policy', () => {
    const a = single([0, 0, 0], [8, 1, 1], [9, 1, 1]);
    const b = single([0, 5, 0], [7, 1, 2], [7, 1, 3]);
    expect(comparePaired(a, b)).toMatchObject({ p: 0.25, note: 'rough: 3 images, fewer than 50' });
    expect(comparePaired(a, b, { emptyPolicy: 'ignore' })).toMatchObject({
      n: 3,
      p: 0.5,
      note: 'rough: 3 images, fewer than 50; the test leaves out 1 of 3 images without foreground',
    });
    const nothing = single([0, 0, 0], [0, 0, 0]);
    expect(comparePaired(nothing, nothing, { emptyPolicy: 'ignore' })).toMatchObject({
      difference: null,
      interval: null,
      p: null,
      reason: 'a model has no Dice: nothing is foreground, in truth or prediction, and empty ones are ignored',
    });
    expect(comparePaired(nothing, nothing).difference).toBe(0);
  });

  const count = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(30), fc.nat(30));
  const pairs = fc.array(fc.record({ a: fc.tuple(count, count), b: fc.tuple(count, count), group: fc.nat(5) }), {
    minLength: 2,
    maxLength: 10,
  });

  it('negates where the models are swapped', () => {
    fc.assert(
      fc.property(pairs, fc.boolean(), (drawn, hasGroups) => {
        const groups = hasGroups ? drawn.map(({ group }) => String(group)) : [];
        const a = casesFrom(
          drawn.map((pair) => pair.a),
          groups,
        );
        const b = casesFrom(
          drawn.map((pair) => pair.b),
          groups,
        );
        const forth = comparePaired(a, b, { resamples: 40 });
        const back = comparePaired(b, a, { resamples: 40 });
        expect((forth.difference ?? Number.NaN) + (back.difference ?? Number.NaN)).toBe(0);
        expect(back.p).toBe(forth.p);
        expect(back.interval === null).toBe(forth.interval === null);
        if (forth.interval === null || back.interval === null) return;
        expect(back.interval[0] + forth.interval[1]).toBeCloseTo(0, 12);
        expect(back.interval[1] + forth.interval[0]).toBeCloseTo(0, 12);
      }),
      { numRuns: 50 },
    );
  });

  it('does not depend on the order of the cases, but for which units a draw names', () => {
    fc.assert(
      fc.property(pairs, fc.boolean(), (drawn, hasGroups) => {
        const build = (list: typeof drawn) => {
          const groups = hasGroups ? list.map(({ group }) => String(group)) : [];
          return comparePaired(
            casesFrom(
              list.map((pair) => pair.a),
              groups,
            ),
            casesFrom(
              list.map((pair) => pair.b),
              groups,
            ),
            { resamples: 5 },
          );
        };
        const { interval: one, ...forth } = build(drawn);
        const { interval: other, ...back } = build([...drawn].reverse());
        expect(back).toEqual(forth);
        expect(other === null).toBe(one === null);
      }),
      { numRuns: 50 },
    );
  });

  it('says what does not fit', () => {
    const a = single([5, 1, 1], [6, 1, 0]);
    const message = (other: readonly ComparedCase[], of: readonly ComparedCase[] = a) => {
      try {
        comparePaired(of, other);
      } catch (error) {
        if (error instanceof InvalidArgumentError) return error.message;
        throw error;
      }
      return null;
    };
    expect(message(a.slice(1))).toBe(
      'study.comparePaired: a and b must hold the same cases in the same order. Received: 2 and 1 cases.',
    );
    expect(message([...a].reverse())).toBe(
      "study.comparePaired: a and b must hold the same cases in the same order. Received: 'case 0' and 'case 1' at index 0.",
    );
    expect(message([{ ...a[0], group: 'p' }, a[1]])).toBe(
      "study.comparePaired: a case must belong to the same group in a and b. Received: no group and group 'p' for 'case 0'.",
    );
    expect(message([a[0], { ...a[1], counts: [] }])).toBe(
      'study.comparePaired: every case of a model needs the counts of the same seeds, at least one. ' +
        "Received: 0 for 'case 1' and 1 for 'case 0' in b.",
    );
    const wrong = [{ ...a[0], counts: [{ tp: Number.NaN, fp: -1, fn: 0.5 }] }, a[1]];
    expect(message(a, wrong)).toBe(
      "study.comparePaired: tp, fp and fn must be numbers of pixels. Received: tp=NaN, fp=-1, fn=0.5 for 'case 0' in a.",
    );
    expect(() => comparePaired(a, a, { level: 95 })).toThrow(
      'metrics: level must lie between 0 and 1. Received: level=95.',
    );
    // @ts-expect-error: a policy that does not exist, as JavaScript could pass it
    expect(() => comparePaired(a, a, { emptyPolicy: 'two' })).toThrow(
      "study.comparePaired: emptyPolicy must be one of 'one', 'zero', 'ignore'. Received: emptyPolicy='two'.",
    );
  });
});
