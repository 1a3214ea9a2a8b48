/** The check of outputs in the repository's benchmarks. */
import { expect, test } from 'vitest';
// @ts-expect-error A script without types.
import { difference } from '../../bench/lib/difference.mjs';

test.each([
  [[1, 2, 4], [1, 2, 4], 0],
  [[1, 2.5, 4], [1, 2, 4], 0.125],
  [[Number.NaN, 1, 1], [1, 1, 1], Number.NaN],
  [[1, 1, 1], [1, Number.NaN, 1], Number.NaN],
  [[Number.POSITIVE_INFINITY, 1], [1, 1], Number.POSITIVE_INFINITY],
  [[1, 1], [1, 1, 1], Number.NaN],
])('the difference of %j from %j is %d', (actual, expected, result) => {
  expect(difference(Float32Array.from(actual), Float32Array.from(expected))).toBe(result);
});
