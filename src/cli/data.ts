/** Data sets as the command names them: a folder, or phantom:NAME. */
import { resolve } from 'node:path';
import { type LoadedSamples, loadSamples } from '../data/files/index.js';
import { isPhantomName, type Preprocessing, phantom, phantomNames, type Sample } from '../data/index.js';
import { DataError } from '../runtime/errors.js';
import type { LongCallOptions } from '../runtime/progress.js';

export interface DataOptions extends LongCallOptions {
  readonly size?: readonly [number, number];
  readonly window?: readonly [number, number];
  readonly classes?: number;
  readonly groupBy?: string;
  /** That of a trained model, instead of size and window. */
  readonly preprocessing?: Preprocessing;
}

const PHANTOM = 'phantom:';

/** How a data set is written into config.json: phantoms by name, folders by their full path. */
export const dataId = (data: string): string => (data.startsWith(PHANTOM) ? data : resolve(data));

/** Images of a generated data set. */
const PHANTOM_COUNT = 40;

function generated(data: string, options: DataOptions): LoadedSamples {
  const name = data.slice(PHANTOM.length);
  if (!isPhantomName(name)) {
    throw new DataError(
      `There is no generated data set '${data}'. Choose one of ${phantomNames.map((n) => PHANTOM + n).join(', ')}.`,
    );
  }
  return phantomSamples(name, {
    count: PHANTOM_COUNT,
    size: options.size?.[0] ?? options.preprocessing?.size?.[0] ?? 512,
    seed: 0,
  });
}

/** Loads a data set with everything checked. */
export async function loadData(data: string, options: DataOptions): Promise<LoadedSamples> {
  return data.startsWith(PHANTOM) ? generated(data, options) : loadSamples(data, options);
}

/** The samples of the given names, in their order. */
export function pick(samples: readonly Sample[], names: readonly string[]): Sample[] {
  const byName = new Map(samples.map((sample) => [sample.name, sample]));
  return names.map((name) => {
    const sample = byName.get(name);
    if (sample === undefined)
      throw new DataError(`The run used an image '${name}' that the data no longer holds. Give the data of the run.`);
    return sample;
  });
}
