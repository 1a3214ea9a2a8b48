/** A run that was stopped before its first epoch ended: every command that needs its network says how to go on. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder, writeDataset } from './dataset.js';
import { pyconvunet } from './harness.js';

let folder = '';
let data = '';
let run = '';
beforeAll(async () => {
  folder = await temporaryFolder();
  data = await writeDataset(join(folder, 'data'));
  run = join(folder, 'stopped run');
  const controller = new AbortController();
  const args = ['train', '--data', data, '--model', 'unet', '--widths', '4,8', '--epochs', '1', '--out', run];
  const stopped = await pyconvunet(args, controller.signal, (text) => {
    if (text.startsWith('Estimating')) controller.abort();
  });
  expect(stopped.code).toBe(130);
  expect(await readdir(run)).not.toContain('model.json');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const predict = () =>
  pyconvunet(['predict', '--run', run, '--input', join(data, 'image'), '--out', join(folder, 'predictions')]);
const evaluate = () => pyconvunet(['evaluate', '--run', run, '--data', data]);
const benchmark = () => pyconvunet(['benchmark', '--run', run, '--size', '32', '--rounds', '1']);

it.each([
  ['predict', predict],
  ['evaluate', evaluate],
  ['benchmark', benchmark],
])('%s', async (_, command) => {
  const { code, stderr } = await command();
  expect(stderr).toBe(
    `pyconvunet: ${run} has no network yet: no epoch of its training has ended. If it was stopped, go on with: pyconvunet train --resume '${run}'\n`,
  );
  expect(code).toBe(1);
});

it('goes on as they say, and has a network then', async () => {
  expect((await pyconvunet(['train', '--resume', run])).code).toBe(0);
  expect((await predict()).code).toBe(0);
  expect((await evaluate()).code).toBe(0);
});
