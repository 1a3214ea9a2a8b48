/** Largest difference relative to the largest value; NaN where a value is. */
export function difference(actual, expected) {
  let worst = actual.length === expected.length ? 0 : Number.NaN;
  let largest = 1e-30;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return worst / largest;
}
