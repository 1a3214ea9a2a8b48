/** Division of samples into training, validation and test parts, whole groups at a time. */
import { DataError, InvalidArgumentError } from '../runtime/errors.js';
import { deriveSeed, Random } from '../runtime/random.js';

/** What a split needs to know of a sample. */
export interface Named {
  readonly name: string;
  readonly group?: string;
}

/** Options of {@link split}. */
export interface SplitOptions {
  /** Any whole number, 0 included: equal seeds give equal parts. */
  readonly seed: number;
  /** Share of the samples for validation, above 0 and below 1; default 0.2. */
  readonly validation?: number;
  /** Share of the samples for a test part that neither training nor the choice of an epoch sees; default 0. */
  readonly test?: number;
  /**
   * The samples are contiguous sections of one specimen: the parts are blocks of neighbours in the order of their names
   * (`s9` before `s10`), groups being passed over. Default false.
   */
  readonly blocks?: boolean;
}

/** The parts of a data set; the samples of one group lie in one part. */
export interface Split<T> {
  readonly train: T[];
  readonly validation: T[];
  readonly test: T[];
}

/** Order by code units: the same in every locale and engine. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/**
 * Splits samples by a seed. Samples of one group (patient, volume, specimen) stay together; a sample without a group is
 * a group of its own. The parts depend on names, groups and seed, not on the order of the samples.
 *
 * @param samples Anything with a name and perhaps a group.
 * @param options The seed, and the shares of validation (default 0.2) and test (default 0).
 * @returns Three parts, each ordered by name (blocks in their natural order); `test` is empty where its share is 0.
 * @throws InvalidArgumentError for illegal shares; DataError where there are fewer groups than parts, or two samples of
 * one name.
 * @example
 * ```ts
 * import { split } from 'pyconvunet/training';
 *
 * const samples = ['a1', 'a2', 'b1', 'b2', 'c1'].map((name) => ({ name, group: name.charAt(0) }));
 * const { train, validation } = split(samples, { seed: 1 });
 * console.log(train.length, validation.length); // 4 1
 * ```
 */
export function split<T extends Named>(samples: readonly T[], options: SplitOptions): Split<T> {
  const { seed, validation = 0.2, test = 0, blocks = false } = options;
  requireShares(validation, test);
  if (blocks) return splitBlocks(samples, { seed, validation, test });
  const groups = gather(samples);
  const parts = test > 0 ? 3 : 2;
  if (groups.length < parts) throw tooFewGroups(samples, groups.length, parts);

  const shuffled = new Random(deriveSeed(seed, 'split')).shuffle(groups);
  const take = (share: number, left: number): T[] => {
    const part: T[] = [];
    const wanted = Math.max(1, Math.round(share * samples.length));
    while (shuffled.length > left) {
      // The next group that brings the part closer to its share: a group that is too large is passed over.
      const missing = wanted - part.length;
      const next = shuffled.findIndex((group) => Math.abs(missing - group.length) < Math.abs(missing));
      if (next < 0 && part.length > 0) break;
      part.push(...shuffled.splice(next < 0 ? smallest(shuffled) : next, 1)[0]);
    }
    return part.sort(byName);
  };
  const testPart = test > 0 ? take(test, 2) : [];
  const validationPart = take(validation, 1);
  return { train: shuffled.flat().sort(byName), validation: validationPart, test: testPart };
}

function smallest(groups: readonly (readonly unknown[])[]): number {
  return groups.reduce((best, group, index) => (group.length < groups[best].length ? index : best), 0);
}

function requireShares(validation: number, test: number): void {
  if (!(validation > 0) || !(test >= 0) || !(validation + test < 1)) {
    throw new InvalidArgumentError(
      `validation must be above 0, test at least 0, and both together below 1, as 0.2 and 0. ` +
        `Received: validation ${validation}, test ${test}.`,
    );
  }
}

const naturally = new Intl.Collator('en', { numeric: true });

/** Samples in the order in which a person counts them: `s9` before `s10`. */
export function inNaturalOrder<T extends Named>(samples: readonly T[]): T[] {
  return [...samples].sort((a, b) => naturally.compare(a.name, b.name) || byName(a, b));
}

/** The validation part begins at a section that the seed chooses, and the test part follows on it. */
function splitBlocks<T extends Named>(
  samples: readonly T[],
  { seed, validation, test }: Required<Omit<SplitOptions, 'blocks'>>,
): Split<T> {
  requireNames(samples);
  const sections = inNaturalOrder(samples);
  const length = (share: number) => (share > 0 ? Math.max(1, Math.round(share * samples.length)) : 0);
  const free = samples.length - length(validation) - length(test);
  if (free < 1) throw tooFewGroups(samples, sections.length, test > 0 ? 3 : 2);
  const start = new Random(deriveSeed(seed, 'blocks')).integer(free + 1);
  const validationPart = sections.splice(start, length(validation));
  const testPart = sections.splice(start, length(test));
  return { train: sections, validation: validationPart, test: testPart };
}

/** Refuses two samples of one name. */
export function requireNames(samples: readonly Named[]): void {
  const names = new Set<string>();
  for (const { name } of samples) {
    if (names.has(name)) {
      throw new DataError(`Two samples have the name '${name}'. Rename one of them: parts are kept by name.`);
    }
    names.add(name);
  }
}

/**
 * Whether all samples are of one group, such as the pages of one stack: such a set can only be split in blocks.
 *
 * @param samples Anything with a name and perhaps a group.
 * @returns False for samples without a group.
 * @example
 * ```ts
 * import { isOneGroup } from 'pyconvunet/training';
 *
 * console.log(isOneGroup([{ name: 'stack#0', group: 'stack' }, { name: 'stack#1', group: 'stack' }])); // true
 * ```
 */
export function isOneGroup(samples: readonly Named[]): boolean {
  const [first] = samples;
  return first?.group !== undefined && samples.every(({ group }) => group === first.group);
}

/** The samples group by group, in an order that the samples' order does not change. */
export function gather<T extends Named>(samples: readonly T[]): T[][] {
  requireNames(samples);
  const groups = new Map<string, T[]>();
  for (const sample of [...samples].sort(byName)) {
    const key = sample.group === undefined ? `name:${sample.name}` : `group:${sample.group}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

function tooFewGroups(samples: readonly Named[], groups: number, parts: number): DataError {
  const needed = parts === 3 ? 'training, validation and test' : 'training and validation';
  if (groups === samples.length) {
    return new DataError(
      `${samples.length} ${samples.length === 1 ? 'sample' : 'samples'} cannot be split into ${needed}: ` +
        `each part needs at least one. Add images.`,
    );
  }
  return new DataError(
    `${samples.length} samples of ${groups} ${groups === 1 ? 'group' : 'groups'} cannot be split into ${needed} ` +
      `without tearing a group. Add volumes or patients, group by a finer pattern, or leave the grouping out and ` +
      `say in your report that neighbouring slices lie in both parts; of one volume, take blocks of contiguous slices.`,
  );
}
