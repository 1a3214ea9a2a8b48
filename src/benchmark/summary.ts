/** How times are summed up, here and in the repository's benchmark against other runtimes; imports nothing. */

/** Times of one contender as a table shows them. */
export interface Summary {
  /** The least of the rounds' medians, ms: other programs of the machine only ever add time. */
  readonly ms: number;
  /** How far the greatest median is above the least, as a share of it. */
  readonly spread: number;
  /** The median of each round, ms. */
  readonly medians: readonly number[];
}

/** The middle of some numbers; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * Sums up the rounds of one contender.
 *
 * @param rounds Times of each round, ms.
 */
export function summarise(rounds: readonly (readonly number[])[]): Summary {
  const medians = rounds.map(median);
  const ms = Math.min(...medians);
  return { ms, spread: Math.max(...medians) / ms - 1, medians };
}
