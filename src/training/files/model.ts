/** A model on disk: model.json with the weights beside it, in tfjs's own format. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { writeAtomically, writeJson } from './atomic.js';

const WEIGHTS = 'weights.bin';

/** Makes a folder where there is none. */
async function makeFolder(folder: string): Promise<void> {
  if (typeof folder !== 'string') {
    throw new InvalidArgumentError(`saveModel(model, folder) takes the folder's path. Received: ${typeof folder}.`);
  }
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
    throw new InvalidArgumentError(
      `saveModel writes model.json and weights.bin into a folder, and a file stands in its place or above it: ${folder}. Name another folder.`,
      { cause: error },
    );
  }
}

/**
 * Writes a model to a folder, replacing the one that is there. The weights come first, so that a model.json never lacks them.
 *
 * @param model The model; its user-defined metadata is kept.
 * @param folder Made where it does not exist.
 * @throws InvalidArgumentError where a file has its name, or that of a folder above it.
 */
export async function saveModel(model: tfl.LayersModel, folder: string): Promise<void> {
  await makeFolder(folder);
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      const {
        weightData,
        weightSpecs = [],
        modelTopology,
        userDefinedMetadata,
        format,
        generatedBy,
        convertedBy,
      } = artifacts;
      const weights = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
      await writeAtomically(join(folder, WEIGHTS), weights);
      await writeJson(join(folder, 'model.json'), {
        modelTopology,
        format,
        generatedBy,
        convertedBy,
        userDefinedMetadata,
        weightsManifest: [{ paths: [WEIGHTS], weights: weightSpecs }],
      });
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
}
