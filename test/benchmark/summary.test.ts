/** How times are summed up, by hand-made numbers. */
import { expect, it } from 'vitest';
import { median, summarise } from '../../src/benchmark/summary.js';

it.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[10, 2], 6],
  [[100, 9, 20], 20],
])('median of %j', (values, expected) => {
  expect(median(values)).toBe(expected);
});

it('takes the least of the medians, and says how far the greatest is above it', () => {
  const summary = summarise([
    [11, 10, 90],
    [8, 8, 8],
    [12, 4, 12],
  ]);
  expect(summary).toEqual({ ms: 8, spread: 0.5, medians: [11, 8, 12] });
});
