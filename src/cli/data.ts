/** Data sets as the command names them: a folder, or phantom:NAME. */
import { resolve } from 'node:path';
import { type LoadedSamples, type LoadOptions, loadSamples } from '../data/files/index.js';
import type { Sample } from '../data/index.js';
import { DataError } from '../runtime/errors.js';
import type { RunConfig } from '../training/files/index.js';
import { withProgress } from './output.js';

/** How a data set is written into config.json: phantoms by name, folders by their full path. */
export const dataId = (data: string): string => (data.startsWith('phantom:') ? data : resolve(data));

/** Loads a data set with a bar. */
export function load(data: string, options: LoadOptions): Promise<LoadedSamples> {
  return withProgress(
    () => 'images read',
    (onProgress) => loadSamples(data, { ...options, onProgress }),
  );
}

/** Loads the data of a run, or other data for it, as its training data was loaded. */
export function loadForRun(data: string, config: RunConfig, signal: AbortSignal): Promise<LoadedSamples> {
  return load(data, {
    preprocessing: config.preprocessing,
    signal,
    ...(config.classes === null ? {} : { classes: config.classes }),
    ...(config.groupBy === null ? {} : { groupBy: config.groupBy }),
  });
}

/** The samples of the given names, in their order. */
export function pick(samples: readonly Sample[], names: readonly string[]): Sample[] {
  const byName = new Map(samples.map((sample) => [sample.name, sample]));
  return names.map((name) => {
    const sample = byName.get(name);
    if (sample === undefined) {
      throw new DataError(
        `The run used an image '${name}' that the data no longer holds. Give the data that the run was trained on.`,
      );
    }
    return sample;
  });
}
