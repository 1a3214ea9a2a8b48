/** A run folder: config.json, history.json, the best model and the checkpoint. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../runtime/errors.js';
import type { History } from '../history.js';
import { writeJson } from './atomic.js';
import { type RunConfig, runConfigSchema } from './schemas.js';

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Makes a new run folder with its config.json.
 *
 * @throws DataError where the folder already holds a run, so that nothing is overwritten.
 */
export async function createRun(folder: string, config: RunConfig): Promise<void> {
  if (await exists(join(folder, 'config.json'))) {
    throw new DataError(`${folder} already holds a run. Go on with it by --resume ${folder}, or give another --out.`);
  }
  await mkdir(folder, { recursive: true });
  await writeJson(join(folder, 'config.json'), config);
}

/**
 * Reads and checks the config.json of a run.
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
    return runConfigSchema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new DataError(`${path} is damaged: ${reason}`, { cause: error });
  }
}

/** Writes history.json. */
export function writeHistory(folder: string, history: History): Promise<void> {
  return writeJson(join(folder, 'history.json'), history);
}
