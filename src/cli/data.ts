/** Data sets as the command names them, and which of them a run was trained on. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type LoadedSamples, type LoadOptions, loadSamples } from '../data/files/index.js';
import type { Sample } from '../data/index.js';
import { DataError } from '../runtime/errors.js';
import type { RunConfig } from '../training/files/index.js';
import type { Output } from './output.js';

/** How a data set is written into config.json: phantoms by name, folders by their full path. */
export const dataId = (data: string): string => (data.startsWith('phantom:') ? data : resolve(data));

/** Loads a data set, with a bar. */
export function load(data: string, options: LoadOptions, output: Output): Promise<LoadedSamples> {
  return output.withProgress(
    () => 'images read',
    (onProgress) => loadSamples(data, { ...options, onProgress }),
  );
}

/** How a run's images were prepared. */
export const runLoadOptions = ({ preprocessing, classes }: RunConfig, signal: AbortSignal): LoadOptions => ({
  preprocessing,
  signal,
  ...(classes === null ? {} : { classes }),
});

/** What a prepared image and its mask hold, in 16 hexadecimal digits: a run knows its images by it, wherever they lie. */
function digest({ image, mask }: Sample): string {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  return createHash('sha256').update(bytes(image)).update(bytes(mask)).digest('hex').slice(0, 16);
}

/** The digests of samples, by name. */
export const digestsOf = (samples: readonly Sample[]): Record<string, string> =>
  Object.fromEntries(samples.map((sample) => [sample.name, digest(sample)]));

/** The first image of a run that is missing among the digests of some data, or differs; undefined where it is the run's own. */
export function firstDifference(found: Readonly<Record<string, string>>, { digests }: RunConfig): string | undefined {
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
