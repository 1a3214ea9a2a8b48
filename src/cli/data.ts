/** Data sets as the command names and loads them. */
import { resolve } from 'node:path';
import { type LoadedSamples, type LoadOptions, loadSamples } from '../data/files/index.js';
import type { RunConfig } from '../training/files/index.js';
import type { Output } from './output.js';

/** How a data set is written into config.json: phantoms by name, folders by their full path. */
export const dataId = (data: string): string => (data.startsWith('phantom:') ? data : resolve(data));

/** Loads a data set, with a bar. */
export function load(data: string, options: LoadOptions, output: Output): Promise<LoadedSamples> {
  return output.withProgress(
    () => (data.startsWith('phantom:') ? 'images drawn' : 'images read'),
    (onProgress) => loadSamples(data, { ...options, onProgress }),
  );
}

/** How a run's images were prepared. */
export const runLoadOptions = (
  { data, parts, preprocessing, classes }: RunConfig,
  signal: AbortSignal,
): LoadOptions => ({
  preprocessing,
  signal,
  // The run's own phantoms, however many were drawn.
  ...(data.startsWith('phantom:')
    ? { phantomCount: parts.train.length + parts.validation.length + parts.test.length }
    : {}),
  ...(classes === null ? {} : { classes }),
});
