/** K-fold cross-validation: every sample is validated once, whole groups at a time. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { deriveSeed, Random } from '../runtime/random.js';
import {
  byName,
  gather,
  inNaturalOrder,
  type Named,
  requireNames,
  type Split,
  type SplitOptions,
  split,
} from './split.js';

/** Options of {@link folds}. */
export interface FoldOptions extends Pick<SplitOptions, 'seed' | 'test' | 'blocks'> {
  /** Number of folds K, at least 2. */
  readonly folds: number;
}

/**
 * Splits samples into K pairs of training and validation parts; the validation parts share nothing and make up all samples
 * but those of the test part, which is the same in every fold. Groups (patients, volumes) stay together.
 *
 * @param samples Anything with a name and perhaps a group.
 * @param options The seed, K, the share of a test part (default 0), and `blocks` as of `split`.
 * @returns K splits.
 * @throws InvalidArgumentError where K is no whole number of at least 2, or there are fewer groups than folds; DataError for
 *   two samples of one name.
 * @example
 * ```ts
 * import { folds } from 'pyconvunet/training';
 *
 * const samples = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name }));
 * console.log(folds(samples, { seed: 1, folds: 3 }).map(({ validation }) => validation.length)); // [2, 2, 2]
 * ```
 */
export function folds<T extends Named>(samples: readonly T[], options: FoldOptions): Split<T>[] {
  const { seed, folds: count, test = 0, blocks = false } = options;
  if (!Number.isInteger(count) || count < 2) {
    throw new InvalidArgumentError(`folds must be a whole number of at least 2. Received: ${count}.`);
  }
  // The test part is the same whatever K.
  const held = test > 0 ? split(samples, { seed, test, blocks, validation: (1 - test) / 2 }) : undefined;
  const rest = held === undefined ? [...samples] : [...held.train, ...held.validation];
  const parts = blocks ? contiguous(rest, count) : balanced(rest, count, seed);
  return parts.map((validation, fold) => ({
    train: inOrder(parts.filter((_, other) => other !== fold).flat(), blocks),
    validation: inOrder(validation, blocks),
    test: held?.test ?? [],
  }));
}

const inOrder = <T extends Named>(samples: readonly T[], blocks: boolean): T[] =>
  blocks ? inNaturalOrder(samples) : [...samples].sort(byName);

function requireEnough(units: number, count: number, what: string): void {
  if (units < count) {
    throw new InvalidArgumentError(
      `${count} folds need at least ${count} ${what}. Received: ${units}. Give fewer folds, or more data.`,
    );
  }
}

function contiguous<T extends Named>(samples: readonly T[], count: number): T[][] {
  requireNames(samples);
  requireEnough(samples.length, count, 'sections');
  const sections = inNaturalOrder(samples);
  const start = (fold: number) => Math.round((fold * sections.length) / count);
  return Array.from({ length: count }, (_, fold) => sections.slice(start(fold), start(fold + 1)));
}

/** Each group, the largest first, goes to the fold with the fewest samples. */
function balanced<T extends Named>(samples: readonly T[], count: number, seed: number): T[][] {
  const groups = new Random(deriveSeed(seed, 'folds')).shuffle(gather(samples));
  requireEnough(groups.length, count, 'groups (patients or volumes; else images)');
  const parts: T[][] = Array.from({ length: count }, () => []);
  for (const group of groups.sort((a, b) => b.length - a.length)) {
    const smallest = parts.reduce((least, part) => (part.length < least.length ? part : least));
    smallest.push(...group);
  }
  return parts;
}
