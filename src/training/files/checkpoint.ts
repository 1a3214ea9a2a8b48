/** The state of a run on disk. checkpoint.json names the file of its tensors, and its rename is the moment of the change. */
import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../runtime/errors.js';
import type { TrainingState } from '../state.js';
import { removeLeftovers, writeAtomically, writeJson } from './atomic.js';
import { checkpointSchema } from './schemas.js';

const CHECKPOINT = 'checkpoint.json';
const RUN_FILES = [CHECKPOINT, 'config.json', 'history.json', 'model.json', 'weights.bin'];
const isTensorFile = (name: string): boolean => /^checkpoint-\d+-\d+\.bin$/.test(name);

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, d) => product * d, 1);

/** The files that a run writes again and again. */
const isRunFile = (name: string): boolean => isTensorFile(name) || RUN_FILES.includes(name);

/** Writes a state into a run folder and removes the older one, and what an interrupted writer left. */
export async function writeCheckpoint(folder: string, state: TrainingState): Promise<void> {
  const { tensors, ...position } = state;
  const file = `checkpoint-${state.epoch}-${state.step}.bin`;
  const values = new Float32Array(tensors.reduce((sum, { data }) => sum + data.length, 0));
  let offset = 0;
  for (const { data } of tensors) {
    values.set(data, offset);
    offset += data.length;
  }
  await writeAtomically(join(folder, file), new Uint8Array(values.buffer));
  const document: z.infer<typeof checkpointSchema> = {
    formatVersion: 1,
    ...position,
    file,
    tensors: tensors.map(({ name, shape }) => ({ name, shape })),
  };
  await writeJson(join(folder, CHECKPOINT), document);
  for (const name of await readdir(folder)) {
    if (isTensorFile(name) && name !== file) await unlink(join(folder, name));
  }
  await removeLeftovers(folder, isRunFile);
}

/**
 * Reads the state of a run folder.
 *
 * @throws DataError where there is none, or it is damaged; the message names the file.
 */
export async function readCheckpoint(folder: string): Promise<TrainingState> {
  const path = join(folder, CHECKPOINT);
  const fail = (problem: string, cause?: unknown): never => {
    throw new DataError(`Cannot go on from ${path}: ${problem}. Start the run anew in another folder.`, { cause });
  };
  const text = await readFile(path, 'utf8').catch((error: Error) => fail(error.message, error));
  const parsed = checkpointSchema.safeParse(parseJson(text) ?? fail('it is no JSON document'));
  if (!parsed.success) return fail(z.prettifyError(parsed.error));
  const { file, tensors, formatVersion: _, ...position } = parsed.data;
  const bytes = await readFile(join(folder, file)).catch((error: Error) => fail(error.message, error));
  const expected = 4 * tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (bytes.length !== expected) fail(`${file} holds ${bytes.length} bytes instead of ${expected}`);
  const values = new Float32Array(Uint8Array.from(bytes).buffer);
  let offset = 0;
  return {
    ...position,
    tensors: tensors.map(({ name, shape }) => {
      const data = values.slice(offset, offset + sizeOf(shape));
      offset += data.length;
      return { name, shape, data };
    }),
  };
}

/** Removes the state of a run that has ended, and what an interrupted writer left. */
export async function removeCheckpoint(folder: string): Promise<void> {
  // First the document that names the file: between the two a folder has no state, rather than half of one.
  for (const name of (await readdir(folder))
    .filter((each) => each === CHECKPOINT || isTensorFile(each))
    .sort()
    .reverse()) {
    await unlink(join(folder, name));
  }
  await removeLeftovers(folder, isRunFile);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
