/** The command in the situations that real work brings: moved and changed data, several classes, 16 bits, stacks, clashes. */

import { readFileSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateDocument, predictDocument } from '../../src/cli/schemas.js';
import { encodePng, phantom } from '../../src/data/index.js';
import { temporaryFolder, writeDataset } from './dataset.js';
import { type Outcome, pyconvunet } from './harness.js';

let folder = '';
let data = '';
let run = '';

const train = (source: string, out: string, ...more: string[]): Promise<Outcome> =>
  pyconvunet([
    ...['train', '--data', source, '--model', 'unet', '--widths', '4,8', '--epochs', '1', '--batch', '3', '--out', out],
    ...more,
  ]);

const evaluated = async (...args: string[]) => {
  const { stdout, stderr, code } = await pyconvunet(['evaluate', ...args, '--json']);
  expect(code, stderr).toBe(0);
  return { document: evaluateDocument.parse(JSON.parse(stdout)), stderr };
};

beforeAll(async () => {
  folder = await temporaryFolder();
  data = await writeDataset(join(folder, 'data'));
  run = join(folder, 'run');
  expect((await train(data, run)).code).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('data that moved or changed', () => {
  it('knows its own images wherever they lie', async () => {
    const moved = join(folder, 'moved');
    await cp(data, moved, { recursive: true });
    expect((await evaluated('--run', run, '--data', moved)).document).toMatchObject({ split: 'validation', images: 2 });
  });

  it('leaves out images that it was trained on, unless --split all says otherwise', async () => {
    const mixed = await writeDataset(join(folder, 'mixed'), 10);
    const { document: own } = await evaluated('--run', run, '--data', mixed);
    expect(own).toMatchObject({ split: 'validation', images: 2 });
    // One of its images is another one now: other data, of which most was trained on.
    const [other] = phantom('liver', { count: 1, size: 32 });
    const pixels = { width: 32, height: 32, channels: 1 } as const;
    await writeFile(
      join(mixed, 'image', 'p0_s0.png'),
      encodePng({ ...pixels, data: other?.image.data ?? new Uint8Array() }),
    );
    const { document, stderr } = await evaluated('--run', run, '--data', mixed);
    expect(document.split).toBe('all');
    expect(document.images).toBeLessThan(10);
    expect(stderr).toMatch(
      /[56] of 10 images are left out: the run was trained on them\. --split all scores them too\./,
    );
    expect((await evaluated('--run', run, '--data', mixed, '--split', 'all')).document.images).toBe(10);
  });

  it('does not go on with other masks, goes on from another place, and says when it has finished', async () => {
    const source = await writeDataset(join(folder, 'source'));
    const out = join(folder, 'stopped');
    const controller = new AbortController();
    const started = pyconvunet(
      ['train', '--data', source, '--model', 'unet', '--widths', '4,8', '--epochs', '60', '--batch', '3', '--out', out],
      controller.signal,
    );
    while (!(await readdir(out).catch(() => [] as string[])).includes('weights.bin'))
      await new Promise((r) => setTimeout(r, 5));
    controller.abort();
    expect((await started).code).toBe(130);
    const moved = join(folder, 'source2');
    await cp(source, moved, { recursive: true });
    await writeFile(
      join(source, 'mask', 'p1_s2.png'),
      encodePng({ width: 32, height: 32, channels: 1, data: new Uint8Array(1024) }),
    );
    const changed = await pyconvunet(['train', '--resume', out]);
    expect(changed.code).toBe(1);
    expect(changed.stderr).toContain(
      `${source} is not the data that the run was begun with: image 'p1_s2' or its mask has changed.`,
    );
    expect((await pyconvunet(['train', '--resume', out, '--data', moved])).code).toBe(0);
    expect((await pyconvunet(['train', '--resume', out])).stdout).toContain('The run has finished its 60 epochs.');
  });
});

describe('several classes', () => {
  it('train, are scored beside predictors on one foreground, and are written as class numbers', async () => {
    const classes = join(folder, 'classes');
    await writeDataset(classes);
    for (const name of await readdir(join(classes, 'mask'))) {
      const path = join(classes, 'mask', name);
      const mask = decode(await readFile(path));
      const labels = Uint8Array.from(mask.data, (value, i) => (value === 0 ? 0 : i % 32 < 16 ? 1 : 2));
      await writeFile(path, encodePng({ width: 32, height: 32, channels: 1, data: labels }));
    }
    const out = join(folder, 'run3');
    expect((await train(classes, out, '--classes', '3', '--epochs', '4', '--learning-rate', '0.01')).code).toBe(0);
    const { document } = await evaluated('--run', out, '--data', classes);
    expect(document.perClass.map(({ name }) => name)).toEqual(['background', 'class 1', 'class 2']);
    expect(document.threshold).toBeNull();
    expect(document.foreground.dice).toBeGreaterThanOrEqual(document.dice ?? 0);
    const refused = await pyconvunet(['evaluate', '--run', out, '--data', classes, '--threshold', '0.9']);
    expect(refused.code).toBe(2);
    const predictions = join(folder, 'predictions3');
    await pyconvunet(['predict', '--run', out, '--input', join(classes, 'image'), '--out', predictions]);
    const written = decode(await readFile(join(predictions, 'p0_s0.mask.png')));
    expect([...new Set(written.data)].every((value) => value <= 2)).toBe(true);
    const wrong = await train(classes, join(folder, 'wrong'), '--classes', '2');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/mask.*p\d_s\d\.png/);
  });
});

describe('kinds of images', () => {
  it('takes 16 bits with a window, and mixed sizes once a size is given', async () => {
    const deep = join(folder, 'deep');
    await writeDataset(deep);
    for (const [i, name] of (await readdir(join(deep, 'image'))).entries()) {
      const path = join(deep, 'image', name);
      const side = i === 0 ? 48 : 32;
      const image = Uint16Array.from({ length: side * side }, (_, pixel) => 1000 + ((pixel * 37) % 3000));
      await writeFile(path, encodePng({ width: side, height: side, channels: 1, data: image }));
      if (i === 0) {
        const mask = encodePng({ width: side, height: side, channels: 1, data: new Uint8Array(side * side).fill(255) });
        await writeFile(join(deep, 'mask', name), mask);
      }
    }
    const refused = await train(deep, join(folder, 'mixedsizes'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Give a size that all are resized to.');
    const out = join(folder, 'deeprun');
    expect((await train(deep, out, '--size', '32', '--window', '2500,3000')).code).toBe(0);
    const predictions = join(folder, 'deeppredictions');
    const { stdout } = await pyconvunet([
      'predict',
      '--run',
      out,
      '--input',
      join(deep, 'image'),
      '--out',
      predictions,
      '--json',
    ]);
    const [first] = predictDocument.parse(JSON.parse(stdout)).images;
    expect(decode(await readFile(first?.mask ?? ''))).toMatchObject({ width: 48, height: 48 });
  });

  it('names the divisor where a size does not fit', async () => {
    const { code, stderr } = await train(data, join(folder, 'divisor'), '--size', '33');
    expect(code).toBe(1);
    expect(stderr).toContain('needs height and width that are multiples of 2. Received: 33x33.');
    expect(await readdir(join(folder, 'divisor')).catch(() => 'no folder')).toBe('no folder');
  });
});

describe('results that would overwrite', () => {
  it('refuses two images of one name, and the folder of the images', async () => {
    const clash = join(folder, 'clash');
    await mkdir(clash);
    const image = await readFile(join(data, 'image', 'p0_s0.png'));
    await writeFile(join(clash, 'a.png'), image);
    await writeFile(join(clash, 'a.PNG'), image);
    const { code, stderr } = await pyconvunet([
      'predict',
      '--run',
      run,
      '--input',
      clash,
      '--out',
      join(folder, 'clashed'),
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/a\.PNG and .*a\.png would both be written as a\.mask\.png/);
    const same = await pyconvunet([
      'predict',
      '--run',
      run,
      '--input',
      join(data, 'image'),
      '--out',
      join(data, 'image'),
    ]);
    expect(same.code).toBe(1);
    expect(same.stderr).toContain('--out is the folder of the images');
  });

  it('looks for every true mask before the first prediction', async () => {
    const out = join(folder, 'nothing');
    const some = join(folder, 'some');
    await mkdir(some);
    await cp(join(data, 'mask', 'p0_s0.png'), join(some, 'p0_s0_mask.png'));
    const args = ['predict', '--run', run, '--input', join(data, 'image'), '--out', out, '--truth', some];
    const { code, stderr } = await pyconvunet(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/some holds no mask of .*p0_s1\.png\./);
    expect(await readdir(out).catch(() => 'no folder')).toBe('no folder');
    const one = await pyconvunet([
      'predict',
      '--run',
      run,
      '--input',
      join(data, 'image', 'p0_s0.png'),
      '--out',
      out,
      '--truth',
      some,
    ]);
    expect(one.code).toBe(0);
    expect((await pyconvunet([...args.slice(0, -1), 'nowhere'])).stderr).toContain('Cannot read nowhere');
  });
});

it('stops an evaluation when it is told to', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 1);
  const { code, stdout } = await pyconvunet(['evaluate', '--run', run, '--data', data, '--json'], controller.signal);
  expect(code).toBe(130);
  expect(stdout).toBe('');
});

describe('sections of one specimen', () => {
  const cases: { name: string; file: string }[] = JSON.parse(
    readFileSync(new URL('../oracles/images.json', import.meta.url), 'utf8'),
  ).cases;
  const file = (wanted: string) => Buffer.from(cases.find(({ name }) => name === wanted)?.file ?? '', 'base64');
  const noInterval = (images: number) => ({
    dice: null,
    unit: 'group',
    n: 1,
    reason: `all ${images} images belong to one group; an interval needs at least two independent groups`,
  });

  it('the pages of one stack are split in blocks, and have no interval', async () => {
    const stack = join(folder, 'stack');
    const out = join(folder, 'stack-run');
    await mkdir(stack);
    await writeFile(join(stack, 'train-volume.tif'), file('stack.tif'));
    await writeFile(join(stack, 'train-labels.tif'), file('stack_bits.tif'));
    const { code, stdout } = await train(stack, out, '--size', '32');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'All images are pages of one stack: its parts are blocks of contiguous pages, as with --blocks.',
    );
    expect(JSON.parse(await readFile(join(out, 'config.json'), 'utf8'))).toMatchObject({ blocks: true });
    const { document } = await evaluated('--run', out, '--data', stack, '--split', 'all');
    expect(document.confidence).toMatchObject(noInterval(3));
  });

  it('--blocks says so of single files', async () => {
    const out = join(folder, 'blocks-run');
    const { code, stdout } = await train(data, out, '--blocks');
    expect(code).toBe(0);
    expect(stdout).not.toContain('pages of one stack');
    const { parts, command } = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
    expect(command).toContain('--blocks');
    const order = ['p0_s0', 'p0_s1', 'p1_s2', 'p1_s3', 'p2_s4', 'p2_s5', 'p3_s6', 'p3_s7'];
    const start = order.indexOf(parts.validation[0]);
    expect(parts.validation).toEqual(order.slice(start, start + 2));
    const { document } = await evaluated('--run', out, '--data', data);
    expect(document.confidence).toMatchObject(noInterval(2));
  });
});
