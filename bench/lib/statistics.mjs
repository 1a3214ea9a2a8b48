// How times are summed up.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * Of the turns' medians the least: other programs of the machine only ever add time. `spread`: how far the greatest is above it.
 *
 * @param {number[][]} turns Times of each turn, ms.
 */
export function summarise(turns) {
  const medians = turns.map(median);
  const ms = Math.min(...medians);
  return { ms, spread: Math.max(...medians) / ms - 1, medians };
}
