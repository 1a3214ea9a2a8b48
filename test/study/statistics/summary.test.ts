import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../src/runtime/errors.js';
import { summary } from '../../../src/study/statistics/index.js';
import { oracle } from './oracle.js';

describe('summary', () => {
  it.each(oracle.summary)('equals NumPy: mean $mean', ({ values, ...expected }) => {
    const ours = summary(values);
    expect(ours.n).toBe(values.length);
    expect(ours.undefined).toBe(0);
    for (const name of ['mean', 'sd', 'median', 'min', 'max'] as const) {
      expect(ours[name]).toBeCloseTo(expected[name], 13);
    }
  });

  it('leaves undefined scores out and counts them', () => {
    expect(summary([null, 1, null, 0.5])).toEqual({
      n: 2,
      undefined: 2,
      mean: 0.75,
      sd: Math.sqrt(0.125),
      median: 0.75,
      min: 0.5,
      max: 1,
    });
    expect(summary([null, 0])).toEqual({ n: 1, undefined: 1, mean: 0, sd: null, median: 0, min: 0, max: 0 });
    const nothing = { mean: null, sd: null, median: null, min: null, max: null };
    expect(summary([])).toEqual({ n: 0, undefined: 0, ...nothing });
    expect(summary([null])).toEqual({ n: 0, undefined: 1, ...nothing });
  });

  it('refuses what is no number', () => {
    expect(() => summary([0.5, Number.NaN])).toThrow(
      new InvalidArgumentError(
        'study.summary: a score must be a finite number, or null where it is undefined. Received: NaN at index 1.',
      ),
    );
  });
});
