/** `pyconvunet predict`: masks and overlays of images. */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { Command } from 'commander';
import type { z } from 'zod';
import { decodeImage, encodePng, imageExtensions, preprocess, type Raster } from '../data/index.js';
import { getMetadata, overlay, predictMask, type Segmentation } from '../inference/index.js';
import { load } from '../models/index.js';
import { DataError } from '../runtime/errors.js';
import { writeAtomically } from '../training/files/index.js';
import { startBackend } from './backend.js';
import { logTo, printJson, withProgress } from './output.js';
import * as parse from './parsers.js';
import type { predictDocument } from './schemas.js';

interface PredictFlags {
  readonly run: string;
  readonly input: string;
  readonly out: string;
  readonly truth?: string;
  readonly threshold?: number;
  readonly backend: string;
  readonly json: boolean;
}

const isImage = (name: string): boolean => imageExtensions.some((extension) => name.toLowerCase().endsWith(extension));

async function imageFiles(input: string): Promise<string[]> {
  const info = await stat(input).catch((error: Error) => {
    throw new DataError(`Cannot read ${input}: ${error.message}. Give an image or a folder of images.`, {
      cause: error,
    });
  });
  if (!info.isDirectory()) return [input];
  const files = (await readdir(input)).filter(isImage).sort();
  if (files.length === 0) throw new DataError(`${input} holds no image (${imageExtensions.join(', ')}).`);
  return files.map((name) => join(input, name));
}

interface NamedRaster {
  readonly name: string;
  readonly raster: Raster;
}

async function pages(file: string): Promise<NamedRaster[]> {
  const rasters = decodeImage(await readFile(file), file);
  const name = basename(file, extname(file));
  return rasters.map((raster, i) => ({
    name: rasters.length === 1 ? name : `${name}_${String(i).padStart(3, '0')}`,
    raster,
  }));
}

/** The image in 8-bit grey as the network saw it, at its own size. */
function greyOf(raster: Raster, segmentation: ReturnType<typeof getMetadata>): Uint8Array {
  const intensity = segmentation?.preprocessing.intensity ?? ({ kind: 'minmax' } as const);
  const { image } = preprocess(raster, { channels: 1, size: null, intensity });
  return Uint8Array.from(image, (value) => Math.round((value + 1) * 127.5));
}

const maskPixels = ({ mask, classes }: Segmentation): Uint8Array =>
  classes.length > 2 ? mask : mask.map((label) => label * 255);

type Written = z.infer<typeof predictDocument>['images'][number];

/** Segments one image and writes its mask and overlay. */
async function predictPage(
  model: LayersModel,
  { name, raster }: NamedRaster,
  flags: PredictFlags,
  signal: AbortSignal,
): Promise<Written> {
  const { out, threshold, truth } = flags;
  const result = await predictMask(model, raster, threshold === undefined ? { signal } : { signal, threshold });
  const { width, height } = result;
  const mask = join(out, `${name}.mask.png`);
  const picture = join(out, `${name}.overlay.png`);
  const options = truth === undefined ? {} : { truth: await truthOf(truth, name, raster) };
  const drawn = overlay(greyOf(raster, getMetadata(model)), result, options);
  await writeAtomically(mask, encodePng({ width, height, channels: 1, data: maskPixels(result) }));
  await writeAtomically(picture, encodePng({ width, height, channels: 3, data: drawn }));
  const foreground = result.mask.filter((label) => label > 0).length / result.mask.length;
  return { name, mask, overlay: picture, foreground };
}

async function predict(flags: PredictFlags, signal: AbortSignal): Promise<void> {
  const log = logTo(flags.json);
  const files = await imageFiles(flags.input);
  await startBackend(flags.backend, log);
  const model = await load(`${flags.run}/model.json`);
  await mkdir(flags.out, { recursive: true });
  const written = await withProgress(
    () => 'images',
    async (report) => {
      const images: Written[] = [];
      for (const [i, file] of files.entries()) {
        for (const page of await pages(file)) images.push(await predictPage(model, page, flags, signal));
        report({ status: 'predicting', done: i + 1, total: files.length });
      }
      return images;
    },
  );
  log(`${written.length} masks and overlays in ${flags.out}`);
  if (flags.json) printJson({ out: flags.out, images: written });
}

/** The mask of an image in the folder of the truth; any value above 0 is foreground for the contour. */
async function truthOf(folder: string, name: string, image: Raster): Promise<Uint8Array> {
  const file = (await readdir(folder)).find((entry) => isImage(entry) && basename(entry, extname(entry)) === name);
  if (file === undefined)
    throw new DataError(`${folder} holds no mask named ${name}. Give the folder whose masks have the images' names.`);
  const path = join(folder, file);
  const [mask] = decodeImage(await readFile(path), path);
  if (mask === undefined || mask.width !== image.width || mask.height !== image.height) {
    throw new DataError(
      `${path} has ${mask?.width ?? 0} x ${mask?.height ?? 0} pixels, its image ${image.width} x ${image.height}. Give a mask of the image's size.`,
    );
  }
  const { channels, data } = mask;
  return Uint8Array.from({ length: image.width * image.height }, (_, i) => (Number(data[i * channels]) > 0 ? 1 : 0));
}

export function predictCommand(signal: AbortSignal): Command {
  return new Command('predict')
    .description('Segment images: writes NAME.mask.png and NAME.overlay.png for each.')
    .requiredOption('--run <run>', "the folder that 'train' wrote")
    .requiredOption('--input <path>', 'an image or a folder of images')
    .requiredOption('--out <dir>', 'folder for masks and overlays')
    .option('--truth <dir>', 'folder of true masks: their contour is drawn in red')
    .option('--threshold <p>', 'foreground from this probability on', parse.probability)
    .option('--backend <name>', 'wasm, cpu, tensorflow, webgpu or auto', 'wasm')
    .option('--json', 'print one JSON document', false)
    .action((flags: PredictFlags) => predict(flags, signal));
}
