/** A run folder: config.json, history.json, the best model and the checkpoint. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../runtime/errors.js';
import type { History } from '../history.js';
import { writeJson } from './atomic.js';
import { type RunConfig, runConfigSchema } from './schemas.js';

/**
 * Makes sure that a run can be written to a folder.
 *
 * @throws DataError where the folder holds anything, so that nothing is overwritten, or is no folder.
 */
export async function requireFreshFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    throw new DataError(`${folder} cannot be the folder of a run: ${error.message}. Give another --out.`, {
      cause: error,
    });
  });
  if (names.includes('config.json')) {
    throw new DataError(`${folder} already holds a run. Go on with it by --resume ${folder}, or give another --out.`);
  }
  if (names.length > 0) {
    throw new DataError(`${folder} is not empty (${names[0]}). Give a new folder as --out.`);
  }
}

/**
 * Makes a new run folder with its config.json.
 *
 * @throws DataError where the folder holds anything, so that nothing is overwritten.
 */
export async function createRun(folder: string, config: RunConfig): Promise<void> {
  await requireFreshFolder(folder);
  await mkdir(folder, { recursive: true });
  await writeJson(join(folder, 'config.json'), config);
}

/** A run that is older than micro-batches took every batch at once. */
const readableConfig = z
  .looseObject({})
  .transform((config) => ({ microBatch: config.batch, ...config }))
  .pipe(runConfigSchema);

/**
 * Reads and checks the config.json of a run; one of an earlier version is completed.
 *
 * @throws DataError where there is none, or it is damaged.
 */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const path = join(folder, 'config.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new DataError(
      `${folder} is no run folder: ${path} cannot be read. Give the folder that 'pyconvunet train --out' wrote.`,
      { cause: error },
    );
  }
  try {
    return readableConfig.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new DataError(`${path} is damaged: ${reason}`, { cause: error });
  }
}

/** Writes history.json. */
export function writeHistory(folder: string, history: History): Promise<void> {
  return writeJson(join(folder, 'history.json'), history);
}
