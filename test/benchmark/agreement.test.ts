/** Who is right among contenders. */
import { describe, expect, it } from 'vitest';
import { compareOutputs, differenceBetween } from '../../src/benchmark/agreement.js';

const of = (...values: number[]) => Float32Array.from(values);
const verdicts = (outputs: Record<string, Float32Array[]>, work: 'inference' | 'training' = 'inference') =>
  compareOutputs(
    Object.entries(outputs).flatMap(([implementation, list]) => list.map((values) => ({ implementation, values }))),
    work,
  );
const confirmed = (...args: Parameters<typeof verdicts>) => verdicts(...args).map(({ isConfirmed }) => isConfirmed);

describe('differenceBetween', () => {
  it('is a share of the range of maps, the larger one', () => {
    expect(differenceBetween(of(0, 2), of(0.5, 4), 'inference')).toBeCloseTo(2 / 3.5, 6);
    // All values of an untrained network lie close together.
    expect(differenceBetween(of(0.5, 0.51), of(0.5, 0.505), 'inference')).toBeCloseTo(0.5, 4);
  });

  it('has a least range', () => {
    expect(differenceBetween(of(1, 1), of(1, 1.000001), 'inference')).toBeLessThan(1e-3);
  });

  it('is that of losses as it is', () => {
    expect(differenceBetween(of(0.7, 0.5), of(0.7, 0.6), 'training')).toBeCloseTo(0.1, 6);
  });

  it.each(['inference', 'training'] as const)('is infinite where there is nothing to compare: %s', (work) => {
    expect(differenceBetween(of(1, Number.NaN), of(1, Number.NaN), work)).toBe(Number.POSITIVE_INFINITY);
    expect(differenceBetween(of(1), of(Number.POSITIVE_INFINITY), work)).toBe(Number.POSITIVE_INFINITY);
    expect(differenceBetween(of(1, 2), of(1), work)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('compareOutputs', () => {
  const right = of(0, 1, 0.5);
  const wrong = of(0, 1, 0.6);
  const alsoWrong = of(0.2, 1, 0.5);

  it('two that agree are right, two that do not are both wrong', () => {
    expect(verdicts({ a: [right], b: [of(0, 1, 0.5001)] })).toEqual([
      { difference: expect.closeTo(1e-4, 6), isConfirmed: true },
      { difference: expect.closeTo(1e-4, 6), isConfirmed: true },
    ]);
    expect(confirmed({ a: [right], b: [wrong] })).toEqual([false, false]);
  });

  it('contenders of one implementation do not confirm each other', () => {
    expect(confirmed({ a: [wrong, wrong, wrong], b: [right] })).toEqual([false, false, false, false]);
    expect(confirmed({ a: [right, wrong], b: [right] })).toEqual([true, false, true]);
  });

  it('one against two is wrong, two against two are all wrong', () => {
    expect(confirmed({ a: [right], b: [wrong], c: [right] })).toEqual([true, false, true]);
    expect(confirmed({ a: [right], b: [wrong], c: [alsoWrong] })).toEqual([false, false, false]);
    expect(confirmed({ a: [right], b: [wrong], c: [right], d: [wrong] })).toEqual([false, false, false, false]);
  });

  it('an only implementation is not checked', () => {
    expect(verdicts({ a: [right, right] })).toEqual([
      { difference: null, isConfirmed: true },
      { difference: null, isConfirmed: true },
    ]);
  });

  it('allows losses what Adam makes of rounding', () => {
    expect(confirmed({ a: [of(0.9, 0.8, 0.7)], b: [of(0.9, 0.8004, 0.701)] }, 'training')).toEqual([true, true]);
    expect(confirmed({ a: [of(0.9, 0.8, 0.7)], b: [of(0.9, 0.8004, 0.705)] }, 'training')).toEqual([false, false]);
  });
});
