/** `pyconvunet demo` on fewer and smaller images than it has, so that it takes seconds: its document, files and words. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { demoDocument } from '../../src/cli/schemas.js';
import type { prepareStudy } from '../../src/study/files/index.js';
import { temporaryFolder } from './dataset.js';
import { pyconvunet } from './harness.js';

vi.mock('../../src/study/files/index.js', async (original) => {
  const files = await original<typeof import('../../src/study/files/index.js')>();
  const small = { widths: [8, 16], size: [32, 32], epochs: 1, data: [{ source: 'phantom:lung', images: 10 }] } as const;
  const prepare: typeof prepareStudy = (input, folder, options) =>
    files.prepareStudy({ ...input, ...small }, folder, options);
  return { ...files, prepareStudy: prepare };
});

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('trains both networks, writes a report, and draws what was not seen', async () => {
  const out = join(folder, 'demo');
  const { code, stdout, stderr } = await pyconvunet(['demo', '--out', out, '--json']);
  expect(code, stderr).toBe(0);
  const { report, predictions, rows } = demoDocument.parse(JSON.parse(stdout));
  expect(report).toBe(join(out, 'study', 'report.html'));
  expect(await readdir(join(out, 'study'))).toContain('report.html');
  expect(rows.map(({ model }) => model)).toEqual(['unet', 'pyconvunet']);
  // Two of ten images are for validation; each has a mask and an overlay.
  expect(predictions).toBe(join(out, 'predictions'));
  expect((await readdir(predictions)).map((name) => name.replace(/^lung_\d+/, ''))).toEqual([
    ...['.mask.png', '.overlay.png', '.mask.png', '.overlay.png'],
  ]);
  expect(stderr).toContain('A narrow U-Net and a narrow PyConvU-Net (widths 16, 32, 64; the paper');
  expect(stderr).toContain(`Masks of 2 unseen images, and overlays with the true contour in red: ${predictions}`);

  const again = await pyconvunet(['demo', '--out', out]);
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toContain(`Both were trained before and are kept. Remove ${out} to train them again.`);
  expect(again.stdout).not.toContain('epoch 1/1');
  expect(again.stdout).toContain(`Report: ${report}`);
});

it('goes on with the same command where it was interrupted', async () => {
  const out = join(folder, 'interrupted');
  const controller = new AbortController();
  const first = join(out, 'study', 'runs', 'phantom-lung', 'unet', 'seed1');
  const timer = setInterval(async () => {
    const names = await readdir(first).catch(() => [] as string[]);
    if (names.includes('result.json')) controller.abort();
  }, 2);
  const stopped = await pyconvunet(['demo', '--out', out], controller.signal);
  clearInterval(timer);
  expect(stopped.code).toBe(130);
  expect(stopped.stdout).toContain('Stopped; what was done is kept. Go on with the same command.');
  const { code, stdout } = await pyconvunet(['demo', '--out', out]);
  expect(code).toBe(0);
  expect(stdout).toContain('run 1/2: unet on phantom-lung, seed 1 (kept)');
  expect(stdout).toContain('run 2/2: pyconvunet on phantom-lung, seed 1\n');
});
