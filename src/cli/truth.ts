/** The true masks of images that are predicted: found by name before the first prediction. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { ISBI } from '../data/files/index.js';
import { decodeImage, isImageFile, type Raster } from '../data/index.js';
import { DataError } from '../runtime/errors.js';

const stem = (path: string): string => basename(path, extname(path));

/** The names that a mask of image NAME may have: NAME, NAME_mask, nnU-Net's NAME without its channel, and that of ISBI 2012's volume. */
const maskNames = (image: string): string[] => [
  image,
  `${image}_mask`,
  image.replace(/_0000$/, ''),
  image === ISBI.volume ? ISBI.labels : image,
];

/** The mask file of each image file. */
export type Truth = ReadonlyMap<string, string>;

/**
 * Finds the mask of every image.
 *
 * @param source A folder of masks, or the one mask file (a stack, say) of a single image file.
 * @throws DataError naming the image that has no mask.
 */
export async function findTruth(source: string, images: readonly string[]): Promise<Truth> {
  const info = await stat(source).catch((error: Error) => {
    throw new DataError(`Cannot read ${source}: ${error.message}. Give the folder of the true masks.`, {
      cause: error,
    });
  });
  if (!info.isDirectory()) {
    const [only] = images;
    if (only === undefined || images.length > 1) {
      throw new DataError(
        `${source} is one file, but there are ${images.length} images. Give the folder of the true masks.`,
      );
    }
    return new Map([[only, source]]);
  }
  const byStem = new Map((await readdir(source)).filter(isImageFile).map((name) => [stem(name), join(source, name)]));
  return new Map(
    images.map((image) => {
      const mask = maskNames(stem(image))
        .flatMap((name) => byStem.get(name) ?? [])
        // Images and masks may lie in one folder.
        .find((path) => resolve(path) !== resolve(image));
      if (mask === undefined) {
        throw new DataError(`${source} holds no mask of ${image}. Give the folder whose masks have the images' names.`);
      }
      return [image, mask];
    }),
  );
}

/** The pages of a mask file. */
export async function readTruth(path: string): Promise<Raster[]> {
  return decodeImage(await readFile(path), path, { indexedAs: 'labels' });
}

/**
 * The labels of a mask's page, 1 where it is not 0: all that a contour needs.
 *
 * @throws DataError where there is no such page, or it has another size than its image.
 */
export function truthLabels(mask: Raster | undefined, path: string, image: Raster): Uint8Array {
  if (mask === undefined || mask.width !== image.width || mask.height !== image.height) {
    throw new DataError(
      `${path} has ${mask === undefined ? 'no such page' : `${mask.width} x ${mask.height} pixels`}, its image ${image.width} x ${image.height}. Give a mask of the image's size.`,
    );
  }
  const { channels, data } = mask;
  const labels = new Uint8Array(image.width * image.height);
  data.forEach((value, i) => {
    if (value > 0) labels[Math.floor(i / channels)] = 1;
  });
  return labels;
}
