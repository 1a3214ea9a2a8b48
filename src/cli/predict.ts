/** `pyconvunet predict`: masks and overlays of images. */
import { mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { Command } from 'commander';
import type { z } from 'zod';
import { masksBeside, pagesOf } from '../data/files/index.js';
import { decodeImage, imageExtensions, isImageFile } from '../data/index.js';
import { getMetadata, predictMask } from '../inference/index.js';
import { DataError } from '../runtime/errors.js';
import { yieldToOthers } from '../runtime/yieldToOthers.js';
import { backendOption, startBackend, threadsOption } from './backend.js';
import { createOutput, type Log, printJson } from './output.js';
import * as parse from './parsers.js';
import { isPicture, writePictures } from './pictures.js';
import { loadRunModel } from './runModel.js';
import type { predictDocument } from './schemas.js';
import { findTruth, readTruth, type Truth, truthLabels } from './truth.js';

interface PredictFlags {
  readonly run: string;
  readonly input: string;
  readonly out: string;
  readonly truth?: string;
  readonly threshold?: number;
  readonly backend: string;
  readonly threads: number;
  readonly json: boolean;
}

type Written = z.infer<typeof predictDocument>['images'][number];

async function imageFiles(input: string, log: Log): Promise<string[]> {
  const info = await stat(input).catch((error: Error) => {
    throw new DataError(`Cannot read ${input}: ${error.message}. Give an image or a folder of images.`, {
      cause: error,
    });
  });
  if (!info.isDirectory()) return [input];
  const entries = await readdir(input, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory() && isImageFile(entry.name)).map(({ name }) => name);
  const masks = masksBeside(names);
  if (masks.size > 0) {
    const [first] = masks;
    log(
      `Left out as masks of other images in the folder: ${masks.size === 1 ? first : `${masks.size} files, such as ${first}`}.`,
    );
  }
  const files = names.filter((name) => !isPicture(name) && !masks.has(name)).sort();
  if (files.length === 0) throw new DataError(`${input} holds no image (${imageExtensions.join(', ')}).`);
  return files.map((name) => join(input, name));
}

/** Names of the results of a file's pages. */
function pageNames(file: string, pages: number): string[] {
  const name = basename(file, extname(file));
  return Array.from({ length: pages }, (_, i) => (pages === 1 ? name : `${name}_${String(i).padStart(3, '0')}`));
}

/** Two images whose results would have one name are refused before the first of them is segmented. */
async function namesOf(files: readonly string[]): Promise<Map<string, string[]>> {
  const taken = new Map<string, string>();
  const names = new Map<string, string[]>();
  for (const file of files) {
    const own = pageNames(file, await pagesOf(file));
    for (const name of own) {
      const other = taken.get(name);
      if (other !== undefined) {
        throw new DataError(
          `${other} and ${file} would both be written as ${name}.mask.png. Rename one, or predict them into two folders.`,
        );
      }
      taken.set(name, file);
    }
    names.set(file, own);
  }
  return names;
}

interface Job {
  readonly model: LayersModel;
  readonly truth: Truth | undefined;
  readonly flags: PredictFlags;
  readonly signal: AbortSignal;
}

/** Segments every page of a file. */
async function predictFile(
  file: string,
  names: readonly string[],
  { model, truth, flags, signal }: Job,
): Promise<Written[]> {
  const written: Written[] = [];
  const maskPath = truth?.get(file);
  // Once for all pages of a stack.
  const masks = maskPath === undefined ? [] : await readTruth(maskPath);
  const threshold = flags.threshold === undefined ? {} : { threshold: flags.threshold };
  for (const [page, raster] of decodeImage(await readFile(file), file).entries()) {
    await yieldToOthers();
    const name = names[page] ?? file;
    const result = await predictMask(model, raster, { signal, threads: flags.threads, ...threshold });
    const paths = await writePictures(flags.out, name, raster, result, {
      metadata: getMetadata(model),
      truth: maskPath === undefined ? undefined : truthLabels(masks[page], maskPath, raster),
    });
    const foreground = result.mask.filter((label) => label > 0).length / result.mask.length;
    written.push({ name, ...paths, foreground });
  }
  return written;
}

/** What the system would refuse in words of its own, or only after minutes of work. */
async function checkFolders({ run, out }: PredictFlags): Promise<void> {
  const isFile = async (path: string) => (await stat(path).catch(() => undefined))?.isFile() === true;
  if (await isFile(run)) throw new DataError(`--run is a file (${run}). Give the folder of the run.`);
  if (await isFile(out)) throw new DataError(`--out is a file (${out}). Give a folder.`);
}

async function predict(flags: PredictFlags, signal: AbortSignal): Promise<void> {
  const output = createOutput(flags);
  await checkFolders(flags);
  const files = await imageFiles(flags.input, output.log);
  const names = await namesOf(files);
  const truth = flags.truth === undefined ? undefined : await findTruth(flags.truth, files);
  // Where there is no such folder yet, it is not that of the images.
  const out = await realpath(flags.out).catch(() => undefined);
  if (out === (await realpath(flags.input))) {
    throw new DataError(`--out is the folder of the images (${flags.input}). Give a folder of its own to the results.`);
  }
  await startBackend(flags.backend, output.log, flags.threads);
  const job: Job = { model: await loadRunModel(flags.run), truth, flags, signal };
  await mkdir(flags.out, { recursive: true });
  const images = await output.withProgress(
    () => 'images',
    async (report) => {
      const written: Written[] = [];
      for (const [i, file] of files.entries()) {
        written.push(...(await predictFile(file, names.get(file) ?? [], job)));
        report({ status: 'predicting', done: i + 1, total: files.length });
      }
      return written;
    },
  );
  output.log(`${images.length === 1 ? '1 mask and overlay' : `${images.length} masks and overlays`} in ${flags.out}`);
  if (images.every(({ foreground }) => foreground === 0)) {
    output.log('Warning: no pixel of any image reached the threshold. Train longer, or lower --threshold.');
  }
  if (flags.json) printJson({ out: flags.out, images });
}

export function predictCommand(signal: AbortSignal): Command {
  return new Command('predict')
    .description('Segment images: writes NAME.mask.png and NAME.overlay.png for each.')
    .requiredOption('--run <run>', "the folder that 'train' wrote")
    .requiredOption('--input <path>', 'an image or a folder of images')
    .requiredOption('--out <dir>', 'folder for masks and overlays')
    .option('--truth <path>', 'folder of true masks (or the one mask file of one image): their contour is drawn in red')
    .option('--threshold <p>', 'foreground from this probability on', parse.fraction)
    .addOption(backendOption())
    .addOption(threadsOption())
    .option('--json', 'print one JSON document', false)
    .action((flags: PredictFlags) => predict(flags, signal));
}
