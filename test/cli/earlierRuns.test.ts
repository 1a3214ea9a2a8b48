/** Runs of earlier versions, whose config.json lacks what has come since. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRunConfig } from '../../src/training/files/index.js';
import { temporaryFolder, writeDataset } from './dataset.js';
import { pyconvunet } from './harness.js';

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Takes keys out of a run's config.json. */
async function without(run: string, ...keys: string[]): Promise<void> {
  const path = join(run, 'config.json');
  const config: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(
    path,
    JSON.stringify(Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)))),
  );
}

it('without microBatch take every batch at once: they go on and are scored', async () => {
  const data = await writeDataset(join(folder, 'data'));
  const run = join(folder, 'run');
  const controller = new AbortController();
  const args = ['--model', 'unet', '--widths', '4,8', '--epochs', '1', '--batch', '3', '--out', run];
  const stopped = await pyconvunet(['train', '--data', data, ...args], controller.signal, (text) => {
    if (text.startsWith('Estimating')) controller.abort();
  });
  expect(stopped.code).toBe(130);

  const config = await readRunConfig(run);
  await without(run, 'microBatch');
  expect(await readRunConfig(run)).toEqual(config);
  expect(config.microBatch).toBe(3);
  expect(await pyconvunet(['train', '--resume', run])).toMatchObject({ code: 0, stderr: '' });
  expect(await pyconvunet(['evaluate', '--run', run, '--data', data])).toMatchObject({ code: 0, stderr: '' });

  await without(run, 'microBatch', 'batch');
  const { code, stderr } = await pyconvunet(['evaluate', '--run', run, '--data', data]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/config\.json is damaged: [\s\S]+ at batch\n/);
});

it('of a study go on in it', async () => {
  const out = join(folder, 'study');
  const args = ['experiment', '--data', 'phantom:lung', '--images', '6', '--models', 'unet', '--widths', '4,8'];
  const call = [...args, '--size', '32', '--batch', '3', '--epochs', '1', '--out', out];
  expect((await pyconvunet(call)).code).toBe(0);
  await without(join(out, 'runs', 'phantom-lung', 'unet', 'seed0'), 'microBatch');
  const { code, stdout, stderr } = await pyconvunet(call);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('(kept)');
});
