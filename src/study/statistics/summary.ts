/** What a table says of a score over cases. */

import { percentile } from '../../metrics/percentile.js';
import { InvalidArgumentError } from '../../runtime/errors.js';

/** Location and spread of scores, one per case. */
export interface Summary {
  /** Cases with a score. */
  readonly n: number;
  /** Cases without one: the empty policy left them undefined. */
  readonly undefined: number;
  /** Arithmetic mean; null without a score. */
  readonly mean: number | null;
  /** Standard deviation of the sample (divided by n - 1); null below two scores. */
  readonly sd: number | null;
  /** Median; null without a score. */
  readonly median: number | null;
  /** Smallest score; null without a score. */
  readonly min: number | null;
  /** Largest score; null without a score. */
  readonly max: number | null;
}

/**
 * Mean, standard deviation, median and range of the scores of cases.
 *
 * @param values One score per case; null where the empty policy leaves it undefined, which is counted apart.
 * @returns The summary; a number that does not exist is null.
 * @throws InvalidArgumentError if a score is not finite.
 * @example
 * ```ts
 * import { study } from 'pyconvunet/training';
 *
 * const { mean, median, n } = study.summary([0.5, 0.75, null, 1]);
 * console.log(mean, median, n); // 0.75 0.75 3
 * ```
 */
export function summary(values: readonly (number | null)[]): Summary {
  values.forEach((value, index) => {
    if (value !== null && !Number.isFinite(value)) {
      throw new InvalidArgumentError(
        `study.summary: a score must be a finite number, or null where it is undefined. Received: ${value} at index ${index}.`,
      );
    }
  });
  const present = values.filter((value) => value !== null);
  const n = present.length;
  const missing = values.length - n;
  if (n === 0) return { n, undefined: missing, mean: null, sd: null, median: null, min: null, max: null };
  const mean = present.reduce((sum, value) => sum + value, 0) / n;
  const squares = present.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    n,
    undefined: missing,
    mean,
    sd: n < 2 ? null : Math.sqrt(squares / (n - 1)),
    median: percentile(present, 50),
    min: percentile(present, 0),
    max: percentile(present, 100),
  };
}
