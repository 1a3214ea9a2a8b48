/** Holm's correction for several tests. */
import { InvalidArgumentError } from '../../runtime/errors.js';

/**
 * p-values adjusted by Holm's step-down method (Holm 1979): comparing them with a level keeps the chance of any false
 * claim among all tests below that level. Equals statsmodels' `multipletests(method='holm')`.
 *
 * @param pValues One p-value in [0, 1] per test; null where a test could not be made. Such a test is not counted.
 * @returns The adjusted values in the same order, null where the p-value was.
 * @throws InvalidArgumentError if a p-value lies outside [0, 1].
 * @example
 * ```ts
 * import { study } from 'pyconvunet/training';
 *
 * console.log(study.holm([0.01, 0.04, null])); // [ 0.02, 0.04, null ]
 * ```
 */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const tests: { index: number; p: number }[] = [];
  pValues.forEach((p, index) => {
    if (p === null) return;
    if (!(p >= 0 && p <= 1)) {
      throw new InvalidArgumentError(
        `study.holm: a p-value must lie between 0 and 1, or be null. Received: ${p} at index ${index}.`,
      );
    }
    tests.push({ index, p });
  });
  const adjusted: (number | null)[] = pValues.map(() => null);
  let largest = 0;
  tests
    .sort((a, b) => a.p - b.p)
    .forEach(({ index, p }, step) => {
      largest = Math.min(1, Math.max(largest, (tests.length - step) * p));
      adjusted[index] = largest;
    });
  return adjusted;
}
