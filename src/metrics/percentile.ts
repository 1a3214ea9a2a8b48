/** Percentiles of a sample. */

/**
 * The percentile with linear interpolation between neighbours, as NumPy and PyTorch compute it by default.
 *
 * @param values At least one number; left as they are.
 * @param percent From 0 to 100.
 */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  if (below === above) return sorted[below];
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
