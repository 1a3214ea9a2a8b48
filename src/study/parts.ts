/** The parts of a data set in a study, the same for every network and seed. */
import { folds, type Sample, type Split, split } from '../data/index.js';
import { inNaturalOrder } from '../data/split.js';
import { deriveSeed, Random } from '../runtime/random.js';
import type { StudyConfig } from './schemas.js';

/** What decides the parts. */
export type PartsConfig = Pick<StudyConfig, 'splitSeed' | 'validation' | 'test' | 'folds'>;

/**
 * At most so many samples: neighbours where they are sections of one specimen, from one that the seed chooses; else whole
 * groups in an order that the seed shuffles, where a group that would exceed the number is passed over.
 */
export function subset(
  samples: readonly Sample[],
  most: number,
  { seed, blocks }: { readonly seed: number; readonly blocks: boolean },
): Sample[] {
  if (blocks) {
    const start = new Random(deriveSeed(seed, 'subset')).integer(samples.length - most + 1);
    return inNaturalOrder(samples).slice(start, start + most);
  }
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = sample.group === undefined ? `name:${sample.name}` : `group:${sample.group}`;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  const chosen = new Set<Sample>();
  for (const members of new Random(deriveSeed(seed, 'subset')).shuffle([...groups.values()])) {
    if (chosen.size + members.length <= most) for (const member of members) chosen.add(member);
  }
  return samples.filter((sample) => chosen.has(sample));
}

/** One split for each fold; a single one without folds. */
export function partsOfStudy(samples: readonly Sample[], config: PartsConfig, blocks: boolean): Split<Sample>[] {
  const { splitSeed: seed, validation, test, folds: count } = config;
  return count === null
    ? [split(samples, { seed, validation, test, blocks })]
    : folds(samples, { seed, test, blocks, folds: count });
}
