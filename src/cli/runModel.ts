/** The network of a run folder. */
import { readdir } from 'node:fs/promises';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { load } from '../models/index.js';
import { DataError } from '../runtime/errors.js';
import { shellWord } from './output.js';

/**
 * Loads the best network of a run.
 *
 * @param run The folder that `train --out` wrote.
 * @throws DataError that says how to go on where no epoch has ended yet; what `load` throws where the folder is no run.
 */
export async function loadRunModel(run: string): Promise<LayersModel> {
  const names = await readdir(run).catch(() => [] as string[]);
  if (names.includes('checkpoint.json') && !names.includes('model.json')) {
    throw new DataError(
      `${run} has no network yet: no epoch of its training has ended. If it was stopped, go on with: pyconvunet train --resume ${shellWord(run)}`,
    );
  }
  return load(`${run}/model.json`);
}
