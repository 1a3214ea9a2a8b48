/** Tails of the standard normal distribution. */

/** Below this the series for the middle converges fast and loses no digit to cancellation; above, the fraction does. */
const SERIES_BELOW = 2;

/** Depth of the continued fraction: at 2 its error is below the last bit of a double. */
const FRACTION_DEPTH = 120;

/**
 * The probability that a standard normal variable lies at least |z| away from 0, to about 14 digits: one minus a power
 * series in the middle (Abramowitz and Stegun 26.2.11), Laplace's continued fraction in the tails (26.2.14).
 */
export function normalTwoSided(z: number): number {
  const x = Math.abs(z);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x < SERIES_BELOW) {
    let term = x;
    let sum = x;
    for (let odd = 3; term > sum * 1e-17; odd += 2) {
      term *= (x * x) / odd;
      sum += term;
    }
    return 1 - 2 * density * sum;
  }
  let fraction = x;
  for (let k = FRACTION_DEPTH; k > 0; k--) fraction = x + k / fraction;
  return (2 * density) / fraction;
}
