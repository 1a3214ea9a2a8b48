/** Files of a run folder: nothing half-written stays behind. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readCheckpoint, writeAtomically, writeCheckpoint } from '../../src/training/files/index.js';
import type { TrainingState } from '../../src/training/index.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pyconvunet-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

const state = (step: number): TrainingState => ({
  ...{ epoch: 0, step, lossSum: step / 2, best: null, optimizerSteps: step, dropoutCalls: {} },
  history: { loss: [], valLoss: [], valMeanIoU: [], valDice: [] },
  tensors: [{ name: 'weight/kernel', shape: [2], data: Float32Array.of(step, -step) }],
});

it('a file that cannot be written leaves no temporary one', async () => {
  // A folder is in the file's place, so that the last step, the renaming, fails.
  await mkdir(join(folder, 'history.json', 'full'), { recursive: true });
  await expect(writeAtomically(join(folder, 'history.json'), '[]')).rejects.toThrow();
  expect(await readdir(folder)).toEqual(['history.json']);
});

it('a checkpoint removes the older one and what an interrupted writer left, and nothing else', async () => {
  const leftovers = ['checkpoint.json.17.tmp', 'checkpoint-0-1.bin.17.tmp', 'weights.bin.4.tmp', 'history.json.4.tmp'];
  const others = ['notes.17.tmp', 'notes.tmp', 'checkpoint.json.old'];
  for (const name of [...leftovers, ...others]) await writeFile(join(folder, name), 'x');
  await writeCheckpoint(folder, state(1));
  await writeCheckpoint(folder, state(2));
  expect((await readdir(folder)).sort()).toEqual([...others, 'checkpoint-0-2.bin', 'checkpoint.json'].sort());
  expect(await readCheckpoint(folder)).toEqual(state(2));
});
