import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../src/runtime/errors.js';
import { holm } from '../../../src/study/statistics/index.js';
import { oracle } from './oracle.js';

describe('holm', () => {
  it.each(oracle.holm)('equals statsmodels: $p', ({ p, adjusted }) => {
    const ours = holm(p);
    expect(ours.length).toBe(adjusted.length);
    ours.forEach((value, index) => {
      expect(value).toBeCloseTo(adjusted[index], 14);
    });
  });

  it('passes a missing test through and does not count it', () => {
    expect(holm([null, 0.01, null, 0.04])).toEqual([null, 0.02, null, 0.04]);
    expect(holm([null])).toEqual([null]);
    expect(holm([])).toEqual([]);
  });

  it('keeps the order of the p-values, raises each, and stays below Bonferroni', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }), (p) => {
        const adjusted = holm(p).map((value) => value ?? Number.NaN);
        p.forEach((value, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(value);
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, value * p.length));
          p.forEach((other, j) => {
            if (value <= other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]);
          });
        });
        expect(Math.min(...adjusted)).toBe(Math.min(1, Math.min(...p) * p.length));
      }),
    );
  });

  it('refuses what is no probability', () => {
    expect(() => holm([0.5, 1.5])).toThrow(
      new InvalidArgumentError('study.holm: a p-value must lie between 0 and 1, or be null. Received: 1.5 at index 1.'),
    );
    expect(() => holm([Number.NaN])).toThrow('Received: NaN at index 0.');
  });
});
