/** The parts of a run's data: how config.json describes them, and how they are found again. */
import { digestsOf } from '../../data/files/index.js';
import type { Sample, Split } from '../../data/index.js';
import { chooseTrivialRules } from '../../metrics/index.js';
import { DataError } from '../../runtime/errors.js';
import type { RunConfig } from './schemas.js';
import { versions } from './versions.js';

/** The group of every image of a run whose parts are blocks of one specimen. */
export const ONE_SPECIMEN = 'specimen';

/** What a run keeps of its parts, with all that can be read off them. */
export function describeParts(parts: Split<Sample>): Pick<RunConfig, 'parts' | 'digests' | 'trivial' | 'versions'> {
  const names = (part: readonly Sample[]) => part.map(({ name }) => name);
  return {
    parts: { train: names(parts.train), validation: names(parts.validation), test: names(parts.test) },
    digests: digestsOf([...parts.train, ...parts.validation, ...parts.test]),
    trivial: chooseTrivialRules(parts.train),
    versions: versions(),
  };
}

/** The first image of a run that is missing among the digests of some data, or differs; undefined where it is the run's own. */
export function firstDifference(
  found: Readonly<Record<string, string>>,
  { digests }: Pick<RunConfig, 'digests'>,
): string | undefined {
  const name = Object.keys(digests).find((each) => found[each] !== digests[each]);
  if (name === undefined) return undefined;
  return found[name] === undefined ? `there is no image '${name}'` : `image '${name}' or its mask has changed`;
}

/** The samples of the given names, in their order. */
export function pick(samples: readonly Sample[], names: readonly string[]): Sample[] {
  const byName = new Map(samples.map((sample) => [sample.name, sample]));
  return names.map((name) => {
    const sample = byName.get(name);
    if (sample === undefined)
      throw new DataError(`There is no image '${name}'. Give the data that the run was trained on.`);
    return sample;
  });
}

/** The parts of a run among the samples of its data. */
export const partsOf = (samples: readonly Sample[], { parts }: Pick<RunConfig, 'parts'>): Split<Sample> => ({
  train: pick(samples, parts.train),
  validation: pick(samples, parts.validation),
  test: pick(samples, parts.test),
});
