/** What `predict` takes of folders, and files where it takes folders. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, expect, it } from 'vitest';
import { findTruth } from '../../src/cli/truth.js';
import { masksBeside } from '../../src/data/files/index.js';
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

it('segments the images of a folder in which their masks lie, and not the masks', async () => {
  const data = join(folder, 'flat');
  mkdirSync(data);
  const png = encode({
    width: 64,
    height: 64,
    data: Uint8Array.from({ length: 64 * 64 }, (_, i) => i & 255),
    channels: 1,
  });
  for (const name of ['a.png', 'a_mask.png', 'b-label.png', 'b.png', 'only_mask.png'])
    writeFileSync(join(data, name), png);
  const out = join(folder, 'pictures');
  const { code, stdout } = await pyconvunet([
    ...['predict', '--run', 'examples/model', '--input', data, '--out', out, '--backend', 'cpu'],
  ]);
  expect(stdout).toContain('Left out as masks of other images in the folder: 2 files, such as a_mask.png.');
  expect(code).toBe(0);
  expect(readdirSync(out).filter((name) => name.endsWith('.mask.png'))).toEqual([
    'a.mask.png',
    'b.mask.png',
    'only_mask.mask.png',
  ]);
});

it('knows the masks beside their images, and takes no image for its own mask', async () => {
  const names = ['train-volume.tif', 'train-labels.tif', 'x.png', 'x_seg.tif', 'y_seg.tif'];
  expect([...masksBeside(names)]).toEqual(['train-labels.tif', 'x_seg.tif']);
  const data = join(folder, 'isbi');
  mkdirSync(data);
  for (const name of [...names, 'x_mask.png']) writeFileSync(join(data, name), '');
  const images = ['train-volume.tif', 'x.png'].map((name) => join(data, name));
  expect([...(await findTruth(data, images)).values()]).toEqual([
    join(data, 'train-labels.tif'),
    join(data, 'x_mask.png'),
  ]);
});
