/** Long work before the first step: what it says while it loads or draws images, and that it can be stopped there. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder, writeDataset } from './dataset.js';
import { pyconvunet } from './harness.js';

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

/** Between two looks at the clock more time passes than between two lines of progress. */
function slowClock(): void {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 11_000;
    return now;
  });
}

const train = (data: string, out: string) =>
  pyconvunet([
    'train',
    '--data',
    data,
    '--model',
    'unet',
    '--widths',
    '4,8',
    '--size',
    '32',
    '--epochs',
    '1',
    '--out',
    out,
  ]);

describe('lines of progress', () => {
  it('say how many phantoms are drawn', async () => {
    slowClock();
    const { code, stderr } = await train('phantom:cell', join(folder, 'drawn'));
    expect(code).toBe(0);
    const lines = stderr.split('\n').filter((line) => line.endsWith(' images drawn'));
    expect(lines).toEqual(Array.from({ length: 50 }, (_, i) => `${i + 1}/50 images drawn`));
  });

  it('say how many files are read', async () => {
    const data = await writeDataset(join(folder, 'data'));
    slowClock();
    const { stderr } = await train(data, join(folder, 'read'));
    expect(stderr).toContain('8/8 images read\n');
    expect(stderr).not.toContain('drawn');
  });

  it('say which data set of a study is loaded, in whole data sets', async () => {
    slowClock();
    const { code, stderr } = await pyconvunet([
      ...['experiment', '--data', 'phantom:lung', '--data', 'phantom:cell', '--images', '4', '--models', 'unet'],
      ...['--widths', '4,8', '--size', '32', '--out', join(folder, 'study'), '--dry-run'],
    ]);
    expect(code).toBe(0);
    expect(stderr.split('\n').filter((line) => line.includes('data sets'))).toEqual([
      ...[1, 2, 3].map((done) => `0/2 data sets; phantom-lung: ${done} of 4 images`),
      '1/2 data sets; phantom-lung: 4 of 4 images',
      ...[1, 2, 3].map((done) => `1/2 data sets; phantom-cell: ${done} of 4 images`),
      '2/2 data sets; phantom-cell: 4 of 4 images',
    ]);
  });
});

describe('Ctrl-C while phantoms are drawn', () => {
  it.each([
    ['train', ['train', '--data', 'phantom:cell', '--size', '32']],
    ['experiment', ['experiment', '--data', 'phantom:cell', '--size', '32']],
  ])('ends %s with code 130 before anything is said of the images or written', async (name, args) => {
    slowClock();
    const controller = new AbortController();
    // As a signal of the system does, it waits for the event loop's turn.
    const interrupt = (text: string) => {
      if (text.includes('images')) setTimeout(() => controller.abort(), 0);
    };
    const out = join(folder, `stopped-${name}`);
    const { code, stdout, stderr } = await pyconvunet([...args, '--out', out], controller.signal, interrupt);
    expect(code).toBe(130);
    expect(stderr.match(/images/g)?.length).toBeLessThan(10);
    expect(stdout).not.toContain('for training');
    await expect(readdir(out)).rejects.toThrow('ENOENT');
  });
});
