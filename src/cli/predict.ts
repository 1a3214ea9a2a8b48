/** `pyconvunet predict`: masks and overlays of images. */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { Command } from 'commander';
import { decodeImage, encodePng, imageExtensions, preprocess, type Raster } from '../data/index.js';
import { getMetadata, overlay, predictMask, type Segmentation } from '../inference/index.js';
import { load } from '../models/load.js';
import { DataError } from '../runtime/errors.js';
import { writeAtomically } from '../training/files/index.js';
import { startBackend } from './backend.js';
import { logTo, printJson, progressLine } from './output.js';
import * as parse from './parsers.js';

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

async function predict(flags: PredictFlags, signal: AbortSignal): Promise<void> {
  const log = logTo(flags.json);
  const files = await imageFiles(flags.input);
  await startBackend(flags.backend, log);
  const model = await load(`${flags.run}/model.json`);
  const metadata = getMetadata(model);
  await mkdir(flags.out, { recursive: true });
  const bar = progressLine(() => 'images');
  const written: { name: string; mask: string; overlay: string; foreground: number }[] = [];
  for (const [i, file] of files.entries()) {
    for (const { name, raster } of await pages(file)) {
      signal.throwIfAborted();
      const result = await predictMask(
        model,
        raster,
        flags.threshold === undefined ? { signal } : { signal, threshold: flags.threshold },
      );
      const { width, height } = result;
      const mask = join(flags.out, `${name}.mask.png`);
      const picture = join(flags.out, `${name}.overlay.png`);
      const truth = flags.truth === undefined ? {} : { truth: await truthOf(flags.truth, name, raster) };
      await writeAtomically(mask, encodePng({ width, height, channels: 1, data: maskPixels(result) }));
      await writeAtomically(
        picture,
        encodePng({ width, height, channels: 3, data: overlay(greyOf(raster, metadata), result, truth) }),
      );
      written.push({
        name,
        mask,
        overlay: picture,
        foreground: result.mask.filter((label) => label > 0).length / result.mask.length,
      });
    }
    bar.report({ status: 'predicting', done: i + 1, total: files.length });
  }
  bar.stop();
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
