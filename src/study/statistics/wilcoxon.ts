/** Wilcoxon's signed-rank test of paired differences. */
import { InvalidArgumentError } from '../../runtime/errors.js';
import { normalTwoSided } from './normal.js';

/** Result of the signed-rank test. */
export interface SignedRankTest {
  /** The smaller of the two rank sums. */
  readonly statistic: number;
  /** Sum of the ranks of the positive differences. */
  readonly positive: number;
  /** Sum of the ranks of the negative differences. */
  readonly negative: number;
  /** Two-sided p-value; null with a `reason`. */
  readonly p: number | null;
  /** Differences that are not 0: those that the test ranks. */
  readonly n: number;
  /** How p was found: from all assignments of signs to the ranks, or by the normal approximation; null without a p. */
  readonly method: 'exact' | 'normal' | null;
  /** Why there is no p. */
  readonly reason?: string;
}

/** SciPy's `method='auto'`: so many differences at most (zeros counted) for the exact distribution of whole ranks ... */
const EXACT_UP_TO = 50;
/** ... and so many where there are zeros or ties. */
const EXACT_WITH_TIES_UP_TO = 13;

interface Ranks {
  /** Rank of each size, from 1; sizes that are equal share the mean of their ranks. */
  readonly ranks: Float64Array;
  /** How many sizes share each rank that more than one has. */
  readonly ties: readonly number[];
}

function rank(sizes: readonly number[]): Ranks {
  const order = sizes.map((_, index) => index).sort((a, b) => sizes[a] - sizes[b]);
  const ranks = new Float64Array(sizes.length);
  const ties: number[] = [];
  for (let begin = 0, end = 0; begin < order.length; begin = end) {
    while (end < order.length && sizes[order[end]] === sizes[order[begin]]) end++;
    for (let i = begin; i < end; i++) ranks[order[i]] = (begin + 1 + end) / 2;
    if (end - begin > 1) ties.push(end - begin);
  }
  return { ranks, ties };
}

/** p from all 2^n equally likely signs: counts the ways to each rank sum, ranks doubled so that halves are whole. */
function exactP(ranks: Float64Array, positive: number): number {
  const doubled = Array.from(ranks, (value) => 2 * value);
  const total = doubled.reduce((sum, value) => sum + value, 0);
  const ways = new Float64Array(total + 1);
  ways[0] = 1;
  let reached = 0;
  for (const value of doubled) {
    reached += value;
    for (let sum = reached; sum >= value; sum--) ways[sum] += ways[sum - value];
  }
  // Sign by sign mirrored, the distribution is symmetric: the smaller tail is that of the smaller rank sum.
  const smaller = Math.min(2 * positive, total - 2 * positive);
  let tail = 0;
  for (let sum = 0; sum <= smaller; sum++) tail += ways[sum];
  return Math.min(1, (2 * tail) / 2 ** doubled.length);
}

function normalP(n: number, ties: readonly number[], positive: number): number {
  const mean = (n * (n + 1)) / 4;
  const tied = ties.reduce((sum, count) => sum + count ** 3 - count, 0);
  const variance = (n * (n + 1) * (2 * n + 1) - tied / 2) / 24;
  return normalTwoSided((positive - mean) / Math.sqrt(variance));
}

/**
 * Wilcoxon's two-sided signed-rank test of paired differences (Wilcoxon 1945), as `scipy.stats.wilcoxon` computes it by
 * default: differences of 0 are left out, ties share their mean rank. p is exact for up to 50 differences without zeros
 * and ties, and for up to 13 with them; else it is the normal approximation with the correction for ties and without
 * that for continuity.
 *
 * @param differences One number per independent pair; NaN and Infinity are refused.
 * @returns The test; p is null, with the reason, where no difference is other than 0.
 * @throws InvalidArgumentError if a difference is not finite.
 * @example
 * ```ts
 * import { study } from 'pyconvunet/training';
 *
 * const test = study.wilcoxonSignedRank([0.02, 0.01, 0.05, -0.03, 0.04]);
 * console.log(test.statistic, test.p, test.method); // 3 0.3125 exact
 * ```
 */
export function wilcoxonSignedRank(differences: readonly number[]): SignedRankTest {
  differences.forEach((difference, index) => {
    if (!Number.isFinite(difference)) {
      throw new InvalidArgumentError(
        `study.wilcoxonSignedRank: every difference must be a finite number. Received: ${difference} at index ${index}. ` +
          'Leave out pairs of which a score is undefined.',
      );
    }
  });
  const present = differences.filter((difference) => difference !== 0);
  const n = present.length;
  if (n === 0) {
    const reason =
      differences.length === 0
        ? 'there are no differences to rank'
        : `no difference of ${differences.length} is other than 0, so there is nothing to rank`;
    return { statistic: 0, positive: 0, negative: 0, p: null, n, method: null, reason };
  }
  const { ranks, ties } = rank(present.map(Math.abs));
  const positive = ranks.reduce((sum, value, index) => (present[index] > 0 ? sum + value : sum), 0);
  const negative = (n * (n + 1)) / 2 - positive;
  const hasWholeRanks = ties.length === 0 && n === differences.length;
  const method = differences.length <= (hasWholeRanks ? EXACT_UP_TO : EXACT_WITH_TIES_UP_TO) ? 'exact' : 'normal';
  const p = method === 'exact' ? exactP(ranks, positive) : normalP(n, ties, positive);
  return { statistic: Math.min(positive, negative), positive, negative, p, n, method };
}
