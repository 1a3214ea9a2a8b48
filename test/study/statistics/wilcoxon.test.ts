import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../src/runtime/errors.js';
import { wilcoxonSignedRank } from '../../../src/study/statistics/index.js';
import { normalTwoSided } from '../../../src/study/statistics/normal.js';
import { oracle } from './oracle.js';

describe('wilcoxonSignedRank', () => {
  it.each(oracle.wilcoxon.map((entry, i) => [i, entry.differences.length, entry] as const))(
    'equals SciPy: case %i of %i differences',
    (_, _n, { differences, statistic, p }) => {
      const test = wilcoxonSignedRank(differences);
      expect(test.statistic).toBe(statistic);
      expect(test.n).toBe(differences.filter((difference) => difference !== 0).length);
      expect(test.p).not.toBeNull();
      expect((test.p ?? Number.NaN) / p).toBeCloseTo(1, 11);
    },
  );

  it('says which distribution it used, by the rule of SciPy', () => {
    const whole = (n: number) => Array.from({ length: n }, (_, i) => (i % 3 === 0 ? -1 : 1) * (i + 1));
    expect(wilcoxonSignedRank(whole(50)).method).toBe('exact');
    expect(wilcoxonSignedRank(whole(51)).method).toBe('normal');
    expect(wilcoxonSignedRank([...whole(12), 1]).method).toBe('exact');
    expect(wilcoxonSignedRank([...whole(13), 1]).method).toBe('normal');
    expect(wilcoxonSignedRank([...whole(12), 0]).method).toBe('exact');
    expect(wilcoxonSignedRank([...whole(13), 0]).method).toBe('normal');
  });

  it('counts every assignment of signs', () => {
    // By hand: of the 8 signs of ranks 1, 2.5, 2.5 the positive sum is at most 1 in two of them.
    expect(wilcoxonSignedRank([0.1, -0.2, -0.2])).toEqual({
      statistic: 1,
      positive: 1,
      negative: 5,
      p: 0.5,
      n: 3,
      method: 'exact',
    });
  });

  it('gives no p where nothing differs, and says why', () => {
    const none = { statistic: 0, positive: 0, negative: 0, p: null, n: 0, method: null };
    expect(wilcoxonSignedRank([])).toEqual({ ...none, reason: 'there are no differences to rank' });
    expect(wilcoxonSignedRank([0, -0, 0])).toEqual({
      ...none,
      reason: 'no difference of 3 is other than 0, so there is nothing to rank',
    });
  });

  it('depends on neither order, nor scale, nor the direction of the difference', () => {
    const differences = fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 70 });
    fc.assert(
      fc.property(differences, (values) => {
        const test = wilcoxonSignedRank(values);
        expect(wilcoxonSignedRank([...values].reverse())).toEqual(test);
        expect(wilcoxonSignedRank(values.map((value) => value / 4))).toEqual(test);
        const turned = wilcoxonSignedRank(values.map((value) => -value));
        expect([turned.positive, turned.negative]).toEqual([test.negative, test.positive]);
        expect(turned.p).toBe(test.p);
        if (test.p !== null) expect(test.p > 0 && test.p <= 1).toBe(true);
      }),
    );
  });

  it('refuses what is not finite', () => {
    expect(() => wilcoxonSignedRank([0.1, Number.NaN])).toThrow(
      new InvalidArgumentError(
        'study.wilcoxonSignedRank: every difference must be a finite number. Received: NaN at index 1. ' +
          'Leave out pairs of which a score is undefined.',
      ),
    );
    expect(() => wilcoxonSignedRank([Number.NEGATIVE_INFINITY])).toThrow('Received: -Infinity at index 0.');
  });
});

describe('normalTwoSided', () => {
  it('equals SciPy on both sides of the change of method', () => {
    for (const [z, p] of oracle.normal) expect(normalTwoSided(z) / p).toBeCloseTo(1, 12);
  });
});
