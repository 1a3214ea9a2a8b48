/** What a study keeps of a finished run: result.json and the predicted masks, beside the run's own files. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { decodeImage, encodePng, type Sample } from '../../data/index.js';
import { DataError } from '../../runtime/errors.js';
import { writeAtomically, writeJson } from '../../training/files/index.js';
import type { RunKey } from '../runs.js';
import { type RunResult, runResultSchema } from '../schemas.js';

const RESULT = 'result.json';

/** The folder of a run within the study's. */
export const runFolder = (study: string, { dataset, model, seed, fold }: RunKey): string =>
  join(study, 'runs', dataset, model, `seed${seed}${fold === null ? '' : `-fold${fold}`}`);

/** The result of a finished run; undefined where the run has not finished. */
export async function readResult(folder: string): Promise<RunResult | undefined> {
  const path = join(folder, RESULT);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return runResultSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new DataError(`${path} is damaged: ${reason}. Remove the folder, so that the run is made again.`, { cause });
  }
}

/** Writes the result last: where it stands, the run has finished. */
export const writeResult = (folder: string, result: RunResult): Promise<void> =>
  writeJson(join(folder, RESULT), result);

/** Names of images may hold what file names must not. */
const maskPath = (folder: string, name: string): string => join(folder, 'masks', `${encodeURIComponent(name)}.png`);

/** Writes the predicted masks of a run's best epoch, 0 and 255. */
export async function writeMasks(
  folder: string,
  samples: readonly Sample[],
  masks: readonly Uint8Array[],
): Promise<void> {
  await mkdir(join(folder, 'masks'), { recursive: true });
  for (const [i, { name, width, height }] of samples.entries()) {
    const data = (masks[i] ?? new Uint8Array(width * height)).map((label) => label * 255);
    await writeAtomically(maskPath(folder, name), encodePng({ width, height, channels: 1, data }));
  }
}

/** The labels of a predicted mask. */
export async function readMask(folder: string, name: string): Promise<Uint8Array> {
  const path = maskPath(folder, name);
  const [raster] = decodeImage(await readFile(path), path);
  if (raster === undefined) throw new DataError(`${path} holds no image.`);
  return Uint8Array.from(raster.data, (value) => (value > 0 ? 1 : 0));
}
