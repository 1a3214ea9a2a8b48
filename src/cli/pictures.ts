/** The two pictures of a prediction: the mask, and the image with the prediction and the true contour. */
import { join } from 'node:path';
import { encodePng, preprocess, type Raster } from '../data/index.js';
import { type ModelMetadata, overlay, type Segmentation } from '../inference/index.js';
import { writeAtomically } from '../training/files/index.js';

/** Where the pictures of an image are written. */
export const picturePaths = (folder: string, name: string): { mask: string; overlay: string } => ({
  mask: join(folder, `${name}.mask.png`),
  overlay: join(folder, `${name}.overlay.png`),
});

/** The names that {@link picturePaths} gives: they are results and no images to segment. */
export const isPicture = (name: string): boolean => /\.(mask|overlay)\.png$/i.test(name);

/** The image in 8-bit grey with the intensities that the network saw, at its own size. */
function greyOf(raster: Raster, metadata: ModelMetadata | undefined): Uint8Array {
  const intensity = metadata?.preprocessing.intensity ?? ({ kind: 'minmax' } as const);
  const { image } = preprocess(raster, { channels: 1, size: null, intensity });
  return Uint8Array.from(image, (value) => Math.round((value + 1) * 127.5));
}

/** 0 and 255, or class numbers. */
const maskPixels = ({ mask, classes }: Segmentation): Uint8Array =>
  classes.length > 2 ? mask : mask.map((label) => label * 255);

export interface PictureOptions {
  readonly metadata: ModelMetadata | undefined;
  /** Labels of the truth, whose contour is drawn in red. */
  readonly truth: Uint8Array | undefined;
}

/** Writes NAME.mask.png and NAME.overlay.png. */
export async function writePictures(
  folder: string,
  name: string,
  raster: Raster,
  result: Segmentation,
  { metadata, truth }: PictureOptions,
): Promise<{ mask: string; overlay: string }> {
  const { width, height } = result;
  const paths = picturePaths(folder, name);
  const drawn = overlay(greyOf(raster, metadata), result, truth === undefined ? {} : { truth });
  await writeAtomically(paths.mask, encodePng({ width, height, channels: 1, data: maskPixels(result) }));
  await writeAtomically(paths.overlay, encodePng({ width, height, channels: 3, data: drawn }));
  return paths;
}
