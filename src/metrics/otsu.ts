/** Otsu's threshold of one image. */

/**
 * The threshold that separates the grey values of an image best into two classes (Otsu 1979: the largest variance
 * between them), over a histogram of equal bins from the smallest to the largest value.
 *
 * @param values Grey values.
 * @param bins Number of bins. Default 256.
 * @returns The centre of the last bin of the dark class; values above it are bright. Of an image with one grey value:
 *   that value, so that nothing is bright.
 */
export function otsuThreshold(values: Float32Array, bins = 256): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > low)) return low;
  const counts = new Float64Array(bins);
  const width = (high - low) / bins;
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value - low) / width))]++;
  const centre = (bin: number) => low + (bin + 0.5) * width;
  let all = 0;
  for (let bin = 0; bin < bins; bin++) all += counts[bin] * centre(bin);
  let weight = 0;
  let sum = 0;
  let best = { variance: -1, bin: 0 };
  for (let bin = 0; bin < bins - 1; bin++) {
    weight += counts[bin];
    sum += counts[bin] * centre(bin);
    const rest = values.length - weight;
    const difference = sum / weight - (all - sum) / rest;
    const variance = weight * rest * difference * difference;
    if (variance > best.variance) best = { variance, bin };
  }
  return centre(best.bin);
}
