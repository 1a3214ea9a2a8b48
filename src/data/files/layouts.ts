/** The layouts of data sets on disk: which image belongs to which mask. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { DataError } from '../../runtime/errors.js';
import { messageOf } from '../../runtime/sentences.js';
import { countPages, isImageFile } from '../decode/index.js';

/** A file, or one page of it. */
export interface PageRef {
  readonly path: string;
  /** Index of the page from 0, where the file is a stack. */
  readonly page?: number;
}

/** An image and its mask. */
export interface Pair {
  /** The image's file name without extension; of a page of a stack `name#page`, counted from 0. */
  readonly name: string;
  readonly image: PageRef;
  readonly mask: PageRef;
}

const imageFolders = ['image', 'images', '2d_images'];
const maskFolders = ['mask', 'masks', 'label', 'labels', '2d_masks'];
/** What mask files are called beside or after the image's own name. */
const maskSuffix = /[_-](?:masks?|labels?|seg|segmentation)$/i;
const nnUnetChannel = /^(.+)_(\d{4})$/;
/** Names without extension of ISBI 2012's stack of images and that of their masks. */
export const ISBI = { volume: 'train-volume', labels: 'train-labels' } as const;

const legalLayouts =
  `A data set is a folder with image, images or 2d_images beside mask, masks, label, labels or 2d_masks ` +
  `(files of the same name, PNG, JPEG or TIFF); or N.png with N_mask.png; ` +
  `or train-volume.tif with train-labels.tif; or nnU-Net's imagesTr/case_0000.png with labelsTr/case.png`;

interface ImageFile {
  /** File name without extension. */
  readonly stem: string;
  readonly path: string;
}

/**
 * Finds the pairs of image and mask in a data set's folder.
 *
 * Layouts: `image`, `images` or `2d_images` beside `mask`, `masks`, `label`, `labels` or `2d_masks` with files of the
 * same name (another extension is fine, and a mask may end in _mask, _label or _seg); `N.png` with `N_mask.png` in one
 * folder; ISBI 2012's `train-volume.tif` with `train-labels.tif`; nnU-Net's `imagesTr/case_0000.png` with
 * `labelsTr/case.png` (one file a case). Multi-page TIFFs are paired page by page.
 *
 * @param dir The data set's folder.
 * @returns The pairs ordered by name, pages in their order.
 * @throws DataError for a missing or empty folder, no known layout, a missing partner (names the file), two files of one
 * name, stacks of different length.
 * @example
 * ```ts
 * import { mkdir, writeFile } from 'node:fs/promises';
 * import { findPairs } from 'pyconvunet/files';
 *
 * for (const folder of ['image', 'mask']) {
 *   await mkdir(`lungs/${folder}`, { recursive: true });
 *   await writeFile(`lungs/${folder}/case7.png`, '');
 * }
 * const [pair] = await findPairs('lungs');
 * console.log(pair.name); // case7
 * ```
 */
export async function findPairs(dir: string): Promise<Pair[]> {
  const entries = await listFolder(dir);
  const images = pickFolder(dir, entries.folders, imageFolders);
  const masks = pickFolder(dir, entries.folders, maskFolders);
  if (images !== undefined && masks !== undefined) {
    return pairFolders(join(dir, images), join(dir, masks), (stem) => stem);
  }
  if (entries.folders.includes('imagesTr') && entries.folders.includes('labelsTr')) {
    return pairFolders(join(dir, 'imagesTr'), join(dir, 'labelsTr'), nnUnetCase);
  }
  const files = imageFiles(dir, entries.files);
  const volume = files.find(({ stem }) => stem === ISBI.volume);
  const labels = files.find(({ stem }) => stem === ISBI.labels);
  if (volume !== undefined && labels !== undefined) return expandPages(volume, labels);
  if (files.some(({ stem }) => maskSuffix.test(stem))) return pairFlat(dir, files);
  throw unknownLayout(dir, { images, masks, folders: entries.folders, files });
}

/** Which files of one folder are masks of others in it: N_mask.png beside N.png, train-labels.tif beside train-volume.tif. */
export function masksBeside(names: readonly string[]): Set<string> {
  const stems = new Set(names.map((name) => parse(name).name));
  return new Set(
    names.filter((name) => {
      const { name: stem } = parse(name);
      if (stem === ISBI.labels) return stems.has(ISBI.volume);
      return maskSuffix.test(stem) && stems.has(stem.replace(maskSuffix, ''));
    }),
  );
}

interface Found {
  readonly images: string | undefined;
  readonly masks: string | undefined;
  readonly folders: readonly string[];
  readonly files: readonly ImageFile[];
}

function unknownLayout(dir: string, { images, masks, folders, files }: Found): DataError {
  const has = [...folders.map((folder) => `${folder}/`), ...files.map(({ path }) => parse(path).base)];
  if (has.length === 0) return new DataError(`The folder ${dir} holds no images and no folders. ${legalLayouts}.`);
  if (images !== undefined) {
    return new DataError(`${dir} has the folder ${images} but none of ${maskFolders.join(', ')} beside it.`);
  }
  if (masks !== undefined) {
    return new DataError(`${dir} has the folder ${masks} but none of ${imageFolders.join(', ')} beside it.`);
  }
  const shown = has.slice(0, 6).join(', ') + (has.length > 6 ? `, ... (${has.length} in all)` : '');
  return new DataError(`${dir} is no data set that is known: it holds ${shown}. ${legalLayouts}.`);
}

/** Names in a folder, links followed; hidden files are left out. */
async function listFolder(dir: string): Promise<{ files: string[]; folders: string[] }> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const what =
      code === 'ENOENT' ? 'does not exist' : code === 'ENOTDIR' ? 'is not a folder' : `cannot be read (${code})`;
    throw new DataError(`The data set ${dir} ${what}. ${legalLayouts}.`, { cause });
  }
  const files: string[] = [];
  const folders: string[] = [];
  for (const name of names.filter((each) => !each.startsWith('.')).sort()) {
    const info = await stat(join(dir, name)).catch(() => undefined);
    // A link to nothing is listed as a file: reading it then names it.
    if (info?.isDirectory()) folders.push(name);
    else files.push(name);
  }
  return { files, folders };
}

function pickFolder(dir: string, folders: readonly string[], legal: readonly string[]): string | undefined {
  const found = folders.filter((folder) => legal.includes(folder.toLowerCase()));
  if (found.length > 1) {
    throw new DataError(`${dir} has the folders ${found.join(' and ')}: it is not clear which one to take. Keep one.`);
  }
  return found[0];
}

function imageFiles(dir: string, names: readonly string[]): ImageFile[] {
  const files: ImageFile[] = [];
  const seen = new Map<string, string>();
  for (const name of names) {
    if (!isImageFile(name)) continue;
    const { name: stem } = parse(name);
    const other = seen.get(stem);
    if (other !== undefined) {
      throw new DataError(
        `${join(dir, other)} and ${join(dir, name)} have one name but for the extension. Remove one.`,
      );
    }
    seen.set(stem, name);
    files.push({ stem, path: join(dir, name) });
  }
  return files;
}

function nnUnetCase(stem: string, path: string): string {
  const match = nnUnetChannel.exec(stem);
  if (match === null) {
    throw new DataError(
      `${path} has no channel number: nnU-Net's images are named case_0000 for the case's only channel.`,
    );
  }
  if (match[2] !== '0000') {
    throw new DataError(
      `${path} is a second channel of the case ${match[1]}, but only images of one file are supported. ` +
        `Keep the channel _0000, or save three channels as one RGB file.`,
    );
  }
  return match[1];
}

async function pairFolders(
  imageDir: string,
  maskDir: string,
  nameOf: (stem: string, path: string) => string,
): Promise<Pair[]> {
  const images = imageFiles(imageDir, (await listFolder(imageDir)).files);
  const masks = imageFiles(maskDir, (await listFolder(maskDir)).files);
  if (images.length === 0) throw new DataError(`The folder ${imageDir} holds no PNG, JPEG or TIFF file.`);
  if (masks.length === 0) throw new DataError(`The folder ${maskDir} holds no PNG, JPEG or TIFF file.`);
  const named = images.map(({ stem, path }) => ({ stem: nameOf(stem, path), path }));
  return match(named, masks, maskDir);
}

function pairFlat(dir: string, files: readonly ImageFile[]): Promise<Pair[]> {
  const masks = files.filter(({ stem }) => maskSuffix.test(stem));
  const images = files.filter(({ stem }) => !maskSuffix.test(stem));
  return match(images, masks, dir);
}

/** Pairs by name: the mask's own, or without its suffix. */
async function match(images: readonly ImageFile[], masks: readonly ImageFile[], maskDir: string): Promise<Pair[]> {
  const left = new Map(masks.map((mask) => [mask.stem, mask]));
  const pairs: [ImageFile, ImageFile][] = [];
  const unmatched: ImageFile[] = [];
  for (const image of images) {
    const mask = left.get(image.stem);
    if (mask === undefined) {
      unmatched.push(image);
    } else {
      pairs.push([image, mask]);
      left.delete(mask.stem);
    }
  }
  const bySuffix = new Map<string, ImageFile>();
  for (const mask of left.values()) bySuffix.set(mask.stem.replace(maskSuffix, ''), mask);
  for (const image of unmatched) {
    const mask = bySuffix.get(image.stem);
    if (mask === undefined) {
      throw new DataError(
        `${image.path} has no mask: ${maskDir} holds neither ${image.stem} nor ${image.stem}_mask as PNG, JPEG or ` +
          `TIFF. Add the mask, or remove the image.`,
      );
    }
    pairs.push([image, mask]);
    left.delete(mask.stem);
  }
  for (const mask of left.values()) {
    throw new DataError(`${mask.path} has no image of its name. Add the image, or remove the mask.`);
  }
  const expanded: Pair[] = [];
  // One after another: a system lets a process open some hundred files at a time, and each is read as a whole.
  for (const [image, mask] of pairs.sort(([a], [b]) => (a.stem < b.stem ? -1 : 1))) {
    expanded.push(...(await expandPages(image, mask)));
  }
  return expanded;
}

/** One pair a page where the files are stacks. */
async function expandPages(image: ImageFile, mask: ImageFile): Promise<Pair[]> {
  const pages = await pagesOf(image.path);
  const maskPages = await pagesOf(mask.path);
  if (pages !== maskPages) {
    throw new DataError(
      `${image.path} has ${pages} ${pages === 1 ? 'page' : 'pages'}, but its mask ${mask.path} has ${maskPages}. ` +
        `Both must have one page for each slice.`,
    );
  }
  if (pages === 1) return [{ name: image.stem, image: { path: image.path }, mask: { path: mask.path } }];
  return Array.from({ length: pages }, (_, page) => ({
    name: `${image.stem}#${page}`,
    image: { path: image.path, page },
    mask: { path: mask.path, page },
  }));
}

/** How many pages a file holds: more than one in a TIFF that is a stack. */
export async function pagesOf(path: string): Promise<number> {
  // Only a TIFF can be a stack; others are not read twice.
  if (!/\.tiff?$/i.test(path)) return 1;
  return countPages(await readBytes(path), path);
}

/** A file's content; a file that cannot be opened is a DataError with its name. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new DataError(`${path} cannot be opened: ${reason}.`, { cause });
  }
}
