/** `pyconvunet demo`: the study in small, on generated images; its report, and overlays of images that were not seen. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { phantom } from '../data/index.js';
import { getMetadata, predictMask } from '../inference/index.js';
import { load } from '../models/index.js';
import type { PreparedStudy, StudyInput } from '../study/files/index.js';
import { startBackend } from './backend.js';
import { createOutput, printJson } from './output.js';
import { writePictures } from './pictures.js';
import { loadStudy, runInFolder } from './study.js';

interface DemoFlags {
  readonly out: string;
  readonly json: boolean;
}

const IMAGES = 50;
const SIZE = 64;

/** Small enough for two minutes on two cores: that the networks are narrow is said in the output and the report. */
const STUDY = {
  data: [{ source: 'phantom:lung', images: IMAGES }],
  models: ['unet', 'pyconvunet'],
  widths: [16, 32, 64],
  size: [SIZE, SIZE],
  epochs: 12,
  learningRate: 3e-3,
  seeds: [1],
  backend: 'wasm',
} as const satisfies StudyInput;

/** The overlays of PyConvU-Net on the validation part. */
async function drawUnseen({ runs }: PreparedStudy, folder: string, signal: AbortSignal): Promise<number> {
  const run = runs.find(({ key }) => key.model === 'pyconvunet');
  if (run === undefined) throw new Error('The demo trains PyConvU-Net.');
  const names = new Set(run.parts.validation.map(({ name }) => name));
  const unseen = phantom('lung', { count: IMAGES, size: SIZE }).filter(({ name }) => names.has(name));
  await mkdir(folder, { recursive: true });
  const model = await load(join(run.folder, 'model.json'));
  try {
    for (const { name, image, mask } of unseen) {
      const result = await predictMask(model, image, { signal });
      const truth = mask.data.map((value) => (value > 0 ? 1 : 0));
      await writePictures(folder, name, image, result, { metadata: getMetadata(model), truth });
    }
  } finally {
    model.dispose();
  }
  return unseen.length;
}

async function demo({ out, json }: DemoFlags, signal: AbortSignal): Promise<void> {
  const output = createOutput({ json });
  output.log(
    `A narrow U-Net and a narrow PyConvU-Net (widths ${STUDY.widths.join(', ')}; the paper's have 32 to 512) learn to find lungs in ${IMAGES} generated images of ${SIZE}x${SIZE} pixels.`,
  );
  await startBackend(STUDY.backend, output.log);
  const study = await loadStudy(STUDY, join(out, 'study'), { output, signal });
  if (study.runs.every(({ finished }) => finished)) {
    output.log(`Both were trained before and are kept. Remove ${out} to train them again.`);
  }
  const { report, html, seconds } = await runInFolder(study, { output, signal, goOn: 'the same command' });
  const predictions = join(out, 'predictions');
  const images = await drawUnseen(study, predictions, signal);
  output.log(`Masks of ${images} unseen images, and overlays with the true contour in red: ${predictions}`);
  if (json) {
    const { rows } = report;
    printJson({
      report: html,
      predictions,
      rows: rows.map(({ model, best }) => ({ model, dice: best.dice, meanIoU: best.meanIoU })),
      seconds,
    });
  }
}

export function demoCommand(signal: AbortSignal): Command {
  return new Command('demo')
    .description('Train a narrow U-Net and a narrow PyConvU-Net on generated images and write a report of them.')
    .option('--out <dir>', 'folder for the study', 'pyconvunet-demo')
    .option('--json', 'print one JSON document', false)
    .action((flags: DemoFlags) => demo(flags, signal));
}
