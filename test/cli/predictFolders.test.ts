/** Files where `predict` takes folders. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { pyconvunet } from './harness.js';

const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-predict-'));
const file = join(folder, 'model.json');
writeFileSync(file, '{}');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['--run', file, join(folder, 'out'), `--run is a file (${file}). Give the folder of the run.`],
  ['--out', folder, file, `--out is a file (${file}). Give a folder.`],
])('refuses a file as %s', async (_, run, out, message) => {
  const { code, stderr } = await pyconvunet(['predict', '--run', run, '--input', folder, '--out', out]);
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
});
