/** `pyconvunet demo`: a narrow PyConvU-Net on generated images, then masks and overlays of images that it has not seen. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { loadSamples } from '../data/files/index.js';
import { encodePng, phantom, split } from '../data/index.js';
import { overlay, predictMask } from '../inference/index.js';
import { chooseTrivialRules } from '../metrics/index.js';
import { load } from '../models/index.js';
import { type RunConfig, writeAtomically } from '../training/files/index.js';
import { startBackend } from './backend.js';
import { duration, logTo, percent, printJson } from './output.js';
import { startRun } from './trainRun.js';
import { versions } from './versions.js';

interface DemoFlags {
  readonly out: string;
  readonly json: boolean;
}

const IMAGES = 50;
const SIZE = 64;

/** Small enough for two minutes on two cores: the narrow widths are said in the output. */
const SETTINGS = {
  formatVersion: 1,
  data: 'phantom:lung',
  model: 'pyconvunet',
  widths: [16, 32, 64],
  backend: 'wasm',
  epochs: 12,
  batch: 5,
  learningRate: 3e-3,
  loss: 'bce',
  augment: 'random',
  seed: 1,
  classes: null,
  groupBy: null,
  validation: 0.2,
  test: 0,
  threads: 1,
  command: 'pyconvunet demo',
} as const;

async function demo({ out, json }: DemoFlags, signal: AbortSignal): Promise<void> {
  const log = logTo(json);
  const started = performance.now();
  log(
    `A narrow PyConvU-Net (widths ${SETTINGS.widths.join(', ')}; the paper's has 32 to 512) learns to find lungs in ${IMAGES} generated images of ${SIZE}x${SIZE} pixels.`,
  );
  await startBackend(SETTINGS.backend, log);
  const { samples, preprocessing } = await loadSamples(SETTINGS.data, { size: SIZE, phantomCount: IMAGES, signal });
  const parts = split(samples, { seed: SETTINGS.seed });
  const names = (part: readonly { name: string }[]) => part.map(({ name }) => name);
  const config: RunConfig = {
    ...SETTINGS,
    widths: [...SETTINGS.widths],
    preprocessing,
    parts: { train: names(parts.train), validation: names(parts.validation), test: [] },
    trivial: chooseTrivialRules(parts.train),
    versions: versions(),
  };
  const run = join(out, 'run');
  const { history, best } = await startRun(config, parts, { folder: run, log, signal });
  const pictures = join(out, 'predictions');
  await mkdir(pictures, { recursive: true });
  const model = await load(join(run, 'model.json'));
  const unseen = phantom('lung', { count: IMAGES, size: SIZE }).filter(({ name }) =>
    config.parts.validation.includes(name),
  );
  for (const { name, image, mask } of unseen) {
    const result = await predictMask(model, image, { signal });
    const { width, height } = result;
    await writeAtomically(
      join(pictures, `${name}.mask.png`),
      encodePng({ width, height, channels: 1, data: result.mask.map((v) => v * 255) }),
    );
    const picture = overlay(image.data, result, { truth: mask.data.map((v) => (v > 0 ? 1 : 0)) });
    await writeAtomically(
      join(pictures, `${name}.overlay.png`),
      encodePng({ width, height, channels: 3, data: picture }),
    );
  }
  const seconds = (performance.now() - started) / 1000;
  log(
    `Dice ${percent(best?.dice ?? null)}, MIoU ${percent(best?.meanIoU ?? null)} on ${unseen.length} images that it has not seen, in ${duration(seconds)}.`,
  );
  log(`Masks, and overlays with the true contour in red: ${pictures}`);
  if (json) printJson({ run, predictions: pictures, history, best, seconds });
}

export function demoCommand(signal: AbortSignal): Command {
  return new Command('demo')
    .description('Train a narrow PyConvU-Net on generated images and write masks and overlays.')
    .option('--out <dir>', 'folder for the run', 'pyconvunet-demo')
    .option('--json', 'print one JSON document', false)
    .action((flags: DemoFlags) => demo(flags, signal));
}
