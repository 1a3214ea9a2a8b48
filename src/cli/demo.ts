/** `pyconvunet demo`: a narrow PyConvU-Net on generated images, then masks and overlays of images that it has not seen. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { type Phantom, phantom, prepareSamples, split } from '../data/index.js';
import { getMetadata, predictMask } from '../inference/index.js';
import { load } from '../models/index.js';
import { describeParts, type RunConfig, readRunConfig, requireFreshFolder } from '../training/files/index.js';
import { startBackend } from './backend.js';
import { createOutput, duration, printJson, scoreText } from './output.js';
import { writePictures } from './pictures.js';
import { startRun } from './trainRun.js';

interface DemoFlags {
  readonly out: string;
  readonly json: boolean;
}

const IMAGES = 50;
const SIZE = 64;
const COMMAND = 'pyconvunet demo';

/** Small enough for two minutes on two cores: the narrow widths are said in the output. */
const SETTINGS = {
  formatVersion: 1,
  data: 'phantom:lung',
  model: 'pyconvunet',
  widths: [16, 32, 64],
  deepSupervision: false,
  backend: 'wasm',
  epochs: 12,
  batch: 5,
  learningRate: 3e-3,
  loss: 'bce',
  augment: 'random',
  seed: 1,
  classes: null,
  groupBy: null,
  blocks: false,
  validation: 0.2,
  test: 0,
  threads: 1,
  command: COMMAND,
} as const;

/** The demo may be run again: it takes the place of its own earlier run, and of nothing else. */
async function clearOwnRun(folder: string): Promise<void> {
  const earlier = await readRunConfig(folder).catch(() => undefined);
  if (earlier?.command === COMMAND) await rm(folder, { recursive: true });
  await requireFreshFolder(folder);
}

/** Pictures of the validation part. */
async function drawUnseen(images: readonly Phantom[], run: string, folder: string, signal: AbortSignal): Promise<void> {
  await mkdir(folder, { recursive: true });
  const model = await load(join(run, 'model.json'));
  for (const { name, image, mask } of images) {
    const result = await predictMask(model, image, { signal });
    const truth = mask.data.map((value) => (value > 0 ? 1 : 0));
    await writePictures(folder, name, image, result, { metadata: getMetadata(model), truth });
  }
}

async function demo({ out, json }: DemoFlags, signal: AbortSignal): Promise<void> {
  const output = createOutput({ json });
  const started = performance.now();
  const run = join(out, 'run');
  await clearOwnRun(run);
  output.log(
    `A narrow PyConvU-Net (widths ${SETTINGS.widths.join(', ')}; the paper's has 32 to 512) learns to find lungs in ${IMAGES} generated images of ${SIZE}x${SIZE} pixels.`,
  );
  await startBackend(SETTINGS.backend, output.log);
  const images = phantom('lung', { count: IMAGES, size: SIZE });
  const { samples, preprocessing } = prepareSamples(images);
  const parts = split(samples, { seed: SETTINGS.seed });
  const config: RunConfig = {
    ...SETTINGS,
    widths: [...SETTINGS.widths],
    preprocessing: { ...preprocessing, size: [SIZE, SIZE] },
    ...describeParts(parts),
  };
  const { history, best } = await startRun(config, parts, { folder: run, output, signal });
  const predictions = join(out, 'predictions');
  const unseen = images.filter(({ name }) => config.parts.validation.includes(name));
  await drawUnseen(unseen, run, predictions, signal);
  const seconds = (performance.now() - started) / 1000;
  output.log(
    `Dice ${scoreText(best?.dice ?? null)}, MIoU ${scoreText(best?.meanIoU ?? null)} on ${unseen.length} images that it has not seen, in ${duration(seconds)}.`,
  );
  output.log(`Masks, and overlays with the true contour in red: ${predictions}`);
  if (json) printJson({ run, predictions, history, best, seconds });
}

export function demoCommand(signal: AbortSignal): Command {
  return new Command('demo')
    .description('Train a narrow PyConvU-Net on generated images and write masks and overlays.')
    .option('--out <dir>', 'folder for the run', 'pyconvunet-demo')
    .option('--json', 'print one JSON document', false)
    .action((flags: DemoFlags) => demo(flags, signal));
}
