/** Data sets on disk: every layout, and one sentence for everything that can be wrong with a folder. */

import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findPairs, type LoadOptions, loadSamples } from '../../src/data/files/index.js';
import { encodePng } from '../../src/data/index.js';
import { DataError } from '../../src/runtime/errors.js';
import type { Progress } from '../../src/runtime/progress.js';

const made: string[] = [];
afterAll(async () => {
  await Promise.all(made.map((dir) => rm(dir, { recursive: true, force: true })));
});

const grey = (...values: number[]) => encodePng({ width: 2, height: 2, channels: 1, data: Uint8Array.from(values) });
const image = grey(10, 20, 30, 40);
const mask = grey(0, 255, 255, 0);

const oracle: { cases: { name: string; file: string }[] } = JSON.parse(
  readFileSync(new URL('../oracles/images.json', import.meta.url), 'utf8'),
);
/** A stack of three pages, 7 x 5 pixels, 16 bits. */
const stack = Buffer.from(oracle.cases.find(({ name }) => name === 'stack.tif')?.file ?? '', 'base64');

async function folder(files: Record<string, Uint8Array | string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'data-'));
  made.push(dir);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content);
  }
  return dir;
}

/** The message, with the temporary folder's name taken out. */
async function failure(dir: string, options?: LoadOptions): Promise<string> {
  try {
    await loadSamples(dir, options);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error instanceof Error ? error.message : '').replaceAll(dir, 'DIR');
  }
  throw new Error('nothing was thrown');
}

describe('findPairs', () => {
  it.each(['image', 'images', '2d_images', 'Images'])('takes the folder %s', async (images) => {
    for (const masks of ['mask', 'masks', 'label', 'labels', '2d_masks', 'Masks']) {
      const dir = await folder({
        [`${images}/b.png`]: image,
        [`${images}/a.png`]: image,
        [`${masks}/a.png`]: mask,
        [`${masks}/b.png`]: mask,
      });
      expect(await findPairs(dir)).toEqual(
        ['a', 'b'].map((name) => ({
          name,
          image: { path: join(dir, images, `${name}.png`) },
          mask: { path: join(dir, masks, `${name}.png`) },
        })),
      );
    }
  });

  it('takes masks of another extension or with a suffix, and passes over other files', async () => {
    const dir = await folder({
      'image/b.jpg': 'x',
      'image/c.png': image,
      'image/.hidden.png': 'x',
      'image/notes.txt': 'x',
      'mask/b_mask.png': mask,
      'mask/c_segmentation.png': mask,
      'index.csv': 'x',
    });
    expect((await findPairs(dir)).map(({ name, mask: { path } }) => [name, path])).toEqual([
      ['b', join(dir, 'mask/b_mask.png')],
      ['c', join(dir, 'mask/c_segmentation.png')],
    ]);
  });

  it('takes N.png with N_mask.png in one folder', async () => {
    const dir = await folder({ '1.png': image, '1_mask.png': mask, '2.png': image, '2_mask.png': mask });
    expect((await findPairs(dir)).map(({ name, mask: { path } }) => [name, path])).toEqual([
      ['1', join(dir, '1_mask.png')],
      ['2', join(dir, '2_mask.png')],
    ]);
  });

  it("takes ISBI 2012's volumes page by page", async () => {
    const dir = await folder({ 'train-volume.tif': stack, 'train-labels.tif': stack, 'test-volume.tif': stack });
    expect(await findPairs(dir)).toEqual(
      [0, 1, 2].map((page) => ({
        name: `train-volume#${page}`,
        image: { path: join(dir, 'train-volume.tif'), page },
        mask: { path: join(dir, 'train-labels.tif'), page },
      })),
    );
  });

  it("takes nnU-Net's names", async () => {
    const dir = await folder({
      'imagesTr/lung_01_0000.png': image,
      'labelsTr/lung_01.png': mask,
      'imagesTs/lung_02_0000.png': image,
      'dataset.json': '{}',
    });
    expect((await findPairs(dir)).map(({ name }) => name)).toEqual(['lung_01']);
  });

  it('follows links', async () => {
    const dir = await folder({ 'mask/a.png': mask, 'elsewhere/a.png': image });
    await symlink(join(dir, 'elsewhere'), join(dir, 'image'));
    expect((await findPairs(dir)).map(({ name }) => name)).toEqual(['a']);
  });
});

describe('loadSamples', () => {
  it('gives samples by name and the preprocessing', async () => {
    const dir = await folder({
      'image/b.png': image,
      'image/a.png': grey(0, 255, 0, 0),
      'mask/a.png': mask,
      'mask/b.png': grey(1, 1, 0, 0),
    });
    const progress: Progress[] = [];
    const { samples, preprocessing } = await loadSamples(dir, { onProgress: (each) => progress.push(each) });
    expect(preprocessing).toEqual({ channels: 1, size: null, intensity: { kind: 'bytes' } });
    expect(samples.map(({ name }) => name)).toEqual(['a', 'b']);
    expect([...samples[0].image]).toEqual([-1, 1, -1, -1]);
    expect(samples.map((sample) => [...sample.mask])).toEqual([
      [0, 1, 1, 0],
      [1, 1, 0, 0],
    ]);
    expect(samples[0].group).toBeUndefined();
    expect(progress).toEqual([1, 2].map((done) => ({ status: 'loading', done, total: 2 })));
  });

  it('groups by a pattern, and pages by their stack', async () => {
    const slices = await folder({
      'image/v1_s01.png': image,
      'image/v1_s02.png': image,
      'image/v2_s01.png': image,
      'mask/v1_s01.png': mask,
      'mask/v1_s02.png': mask,
      'mask/v2_s01.png': mask,
    });
    const { samples } = await loadSamples(slices, { groupBy: 'volume' });
    expect(samples.map(({ group }) => group)).toEqual(['v1', 'v1', 'v2']);
    const labels = Buffer.from(stackOfLabels(), 'base64');
    const files = { 'image/p#1.tif': stack, 'image/q.tif': stack, 'mask/p#1.tif': labels, 'mask/q.tif': labels };
    const stacks = await loadSamples(await folder(files));
    expect(stacks.samples.map(({ name, group }) => `${name} of ${group}`)).toEqual(
      ['p#1', 'q'].flatMap((name) => [0, 1, 2].map((page) => `${name}#${page} of ${name}`)),
    );
    const single = await loadSamples(await folder({ 'train-volume.tif': stack, 'train-labels.tif': labels }));
    expect(single.samples.map(({ group }) => group)).toEqual(Array(3).fill('train-volume'));
    expect(single.preprocessing.intensity).toEqual({ kind: 'minmax' });
    expect(single.samples.map((sample) => sample.mask.length)).toEqual([35, 35, 35]);
  });

  it('draws phantoms', async () => {
    const { samples, preprocessing } = await loadSamples('phantom:liver', {
      size: 32,
      phantomCount: 3,
      phantomSeed: 4,
    });
    expect(samples.map(({ name, width, height }) => [name, width, height])).toEqual([
      ['liver_000', 32, 32],
      ['liver_001', 32, 32],
      ['liver_002', 32, 32],
    ]);
    expect(preprocessing.size).toEqual([32, 32]);
    const again = await loadSamples('phantom:liver', { preprocessing, phantomCount: 3, phantomSeed: 4 });
    expect(again.samples).toEqual(samples);
    expect(await failure('phantom:bone')).toBe(
      "There is no phantom 'bone'. Give phantom:lung, phantom:liver, phantom:cell.",
    );
  });

  it('stops where it is aborted', async () => {
    const dir = await folder({ 'image/a.png': image, 'mask/a.png': mask });
    const reason = new Error('enough');
    await expect(loadSamples(dir, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('reports each phantom as it is drawn, and stops between two where a timer aborts', async () => {
    const progress: Progress[] = [];
    const options = { size: 32, phantomCount: 4, onProgress: (each: Progress) => progress.push(each) };
    await loadSamples('phantom:cell', options);
    expect(progress).toEqual([1, 2, 3, 4].map((done) => ({ status: 'loading', done, total: 4 })));

    const reason = new Error('enough');
    const controller = new AbortController();
    progress.length = 0;
    // As Ctrl-C does, the timer needs the event loop's turn.
    const onProgress = (each: Progress) => {
      if (progress.push(each) === 1) setTimeout(() => controller.abort(reason), 0);
    };
    const stopped = loadSamples('phantom:cell', {
      ...options,
      phantomCount: 50,
      onProgress,
      signal: controller.signal,
    });
    await expect(stopped).rejects.toBe(reason);
    expect(progress.length).toBeLessThan(10);

    progress.length = 0;
    const early = loadSamples('phantom:cell', { ...options, signal: AbortSignal.abort(reason) });
    await expect(early).rejects.toBe(reason);
    expect(progress).toEqual([]);
  });

  const layouts =
    'A data set is a folder with image, images or 2d_images beside mask, masks, label, labels or 2d_masks ' +
    '(files of the same name, PNG, JPEG or TIFF); or N.png with N_mask.png; or train-volume.tif with train-labels.tif; ' +
    "or nnU-Net's imagesTr/case_0000.png with labelsTr/case.png.";

  it.each<[string, Record<string, Uint8Array | string>, string, LoadOptions?]>([
    ['an empty folder', {}, `The folder DIR holds no images and no folders. ${layouts}`],
    [
      'an unknown layout',
      { 'pictures/a.png': image, 'b.png': image },
      `DIR is no data set that is known: it holds pictures/, b.png. ${layouts}`,
    ],
    [
      'no mask folder',
      { 'images/a.png': image, 'truth/a.png': mask },
      'DIR has the folder images but none of mask, masks, label, labels, 2d_masks beside it.',
    ],
    [
      'no image folder',
      { 'label/a.png': image },
      'DIR has the folder label but none of image, images, 2d_images beside it.',
    ],
    [
      'two image folders',
      { 'image/a.png': image, 'images/a.png': image, 'mask/a.png': mask },
      'DIR has the folders image and images: it is not clear which one to take. Keep one.',
    ],
    [
      'an empty image folder',
      { 'image/a.txt': 'x', 'mask/a.png': mask },
      'The folder DIR/image holds no PNG, JPEG or TIFF file.',
    ],
    [
      'a missing mask',
      { 'image/a.png': image, 'image/b.png': image, 'mask/a.png': mask },
      'DIR/image/b.png has no mask: DIR/mask holds neither b nor b_mask as PNG, JPEG or TIFF. Add the mask, or remove the image.',
    ],
    [
      'a missing image',
      { 'image/a.png': image, 'mask/a.png': mask, 'mask/b.png': mask },
      'DIR/mask/b.png has no image of its name. Add the image, or remove the mask.',
    ],
    [
      'a missing image in one folder',
      { 'a.png': image, 'a_mask.png': mask, 'b_mask.png': mask },
      'DIR/b_mask.png has no image of its name. Add the image, or remove the mask.',
    ],
    [
      'two files of one name',
      { 'image/a.png': image, 'image/a.jpg': image, 'mask/a.png': mask },
      'DIR/image/a.jpg and DIR/image/a.png have one name but for the extension. Remove one.',
    ],
    [
      'a mask of another size',
      { 'image/a.png': image, 'mask/a.png': encodePng({ width: 1, height: 2, channels: 1, data: new Uint8Array(2) }) },
      'DIR/mask/a.png has 1 x 2 pixels, but its image DIR/image/a.png has 2 x 2. Both must have one size (width x height).',
    ],
    [
      'values that are no labels',
      { 'image/a.png': image, 'mask/a.png': grey(0, 1, 2, 9) },
      'DIR/mask/a.png has the values 0, 1, 2, 9, but a binary mask holds 0 and 255, or 0 and 1, only. Threshold it, ' +
        'save it without lossy compression (not as JPEG), or give the number of classes.',
    ],
    [
      'values beyond the classes',
      { 'image/a.png': image, 'mask/a.png': grey(0, 1, 2, 9) },
      'DIR/mask/a.png has the values 0, 1, 2, 9, but a mask of 3 classes holds whole numbers 0..2 only. ' +
        'Renumber the classes, or give another number of classes (leave it out for 0 and 255).',
      { classes: 3 },
    ],
    [
      'an image that is none',
      { 'image/a.png': 'hello', 'mask/a.png': mask },
      'DIR/image/a.png is neither PNG, JPEG nor TIFF by its first bytes, which cannot be read. Save it as PNG, JPEG or (classic) TIFF.',
    ],
    [
      'stacks of different length',
      { 'image/a.tif': stack, 'mask/a.png': mask },
      'DIR/image/a.tif has 3 pages, but its mask DIR/mask/a.png has 1. Both must have one page for each slice.',
    ],
    [
      'images of two sizes',
      {
        'image/a.png': image,
        'mask/a.png': mask,
        'image/b.png': encodePng({ width: 1, height: 1, channels: 1, data: new Uint8Array(1) }),
        'mask/b.png': encodePng({ width: 1, height: 1, channels: 1, data: new Uint8Array(1) }),
      },
      'Images of one batch must have one size, but a has 2 x 2 pixels and 1 channels, and b has 1 x 1 pixels and 1 channels. Give a size that all are resized to.',
    ],
    [
      'a name without a group',
      { 'image/a.png': image, 'mask/a.png': mask },
      "The name 'a' does not match the pattern of groups volume. Give a regular expression that matches every name, its first group being the volume or patient.",
      { groupBy: 'volume' },
    ],
    [
      "a second channel of nnU-Net's",
      { 'imagesTr/c_0000.png': image, 'imagesTr/c_0001.png': image, 'labelsTr/c.png': mask },
      'DIR/imagesTr/c_0001.png is a second channel of the case c, but only images of one file are supported. Keep the channel _0000, or save three channels as one RGB file.',
    ],
    [
      "an image of nnU-Net's without a channel",
      { 'imagesTr/c.png': image, 'labelsTr/c.png': mask },
      "DIR/imagesTr/c.png has no channel number: nnU-Net's images are named case_0000 for the case's only channel.",
    ],
  ])('names the file: %s', async (_, files, message, options) => {
    expect(await failure(await folder(files), options)).toBe(message);
  });

  it('names a file that is cut short, and a link to nothing', async () => {
    const dir = await folder({ 'image/a.png': image.subarray(0, 40), 'mask/a.png': mask });
    expect(await failure(dir)).toMatch(/^DIR\/image\/a\.png cannot be read as PNG: .+ It may be cut short/);
    const broken = await folder({ 'image/a.png': image, 'mask/b.png': mask });
    await symlink(join(broken, 'nowhere.png'), join(broken, 'mask/a.png'));
    await rm(join(broken, 'mask/b.png'));
    expect(await failure(broken)).toMatch(/^DIR\/mask\/a\.png cannot be opened: ENOENT/);
  });

  it('names a folder that does not exist or is a file', async () => {
    const dir = await folder({ 'a.png': image });
    expect(await failure(join(dir, 'nope'))).toBe(`The data set DIR does not exist. ${layouts}`);
    expect(await failure(join(dir, 'a.png'))).toBe(`The data set DIR is not a folder. ${layouts}`);
  });
});

/** Three pages of 7 x 5 single bits as Pillow writes them, made by test/oracles/images.py. */
function stackOfLabels(): string {
  const found = oracle.cases.find(({ name }) => name === 'stack_bits.tif');
  if (found === undefined) throw new Error('no stack of labels');
  return found.file;
}
