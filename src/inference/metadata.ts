/** What a trained model must know besides its weights: kept in the user-defined metadata of its model.json. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Preprocessing } from '../data/preprocess.js';
import { DataError } from '../runtime/errors.js';

/** What was done to images before training, and what the outputs mean. */
export interface ModelMetadata {
  /** Of this description. */
  readonly formatVersion: 1;
  /** Name of the network, for example 'pyconvunet'. */
  readonly network: string;
  readonly preprocessing: Preprocessing;
  /** Names of the classes, background first. */
  readonly classes: readonly string[];
  /** Foreground where the probability is at least this; binary models only. */
  readonly threshold: number;
}

const KEY = 'pyconvunet';

/** Writes the metadata into a model, so that `model.save` keeps it. */
export function setMetadata(model: tfl.LayersModel, metadata: ModelMetadata): void {
  model.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), [KEY]: metadata });
}

/**
 * The metadata of a model that this package trained, or undefined for any other model.
 *
 * @throws DataError where it was written by a newer version of the format.
 */
export function getMetadata(model: tfl.LayersModel): ModelMetadata | undefined {
  const all = model.getUserDefinedMetadata() as { [KEY]?: ModelMetadata } | undefined;
  const metadata = all?.[KEY];
  if (metadata !== undefined && metadata.formatVersion !== 1) {
    throw new DataError(
      `The model's metadata has formatVersion ${String(metadata.formatVersion)}, this version of pyconvunet reads 1. Install a newer pyconvunet.`,
    );
  }
  return metadata;
}
