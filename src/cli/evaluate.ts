/** `pyconvunet evaluate`: a trained run on images with masks, beside trivial predictors. */
import { Command } from 'commander';
import type { Sample } from '../data/index.js';
import { defaultClasses, getMetadata, predictProbability } from '../inference/index.js';
import { ConfusionMatrix, diceConfidence, trivialPredictors } from '../metrics/index.js';
import { load as loadModel } from '../models/index.js';
import { DataError } from '../runtime/errors.js';
import { readRunConfig } from '../training/files/index.js';
import { startBackend } from './backend.js';
import { dataId, loadForRun, pick } from './data.js';
import { logTo, percent, printJson, withProgress } from './output.js';
import * as parse from './parsers.js';

const SPLITS = ['train', 'validation', 'test', 'all'] as const;

interface EvaluateFlags {
  readonly run: string;
  readonly data: string;
  readonly split?: (typeof SPLITS)[number];
  readonly threshold?: number;
  readonly backend: string;
  readonly json: boolean;
}

async function evaluate(flags: EvaluateFlags, signal: AbortSignal): Promise<void> {
  const log = logTo(flags.json);
  const config = await readRunConfig(flags.run);
  await startBackend(flags.backend, log);
  const model = await loadModel(`${flags.run}/model.json`);
  const { samples } = await loadForRun(flags.data, config, signal);
  const isOwnData = dataId(flags.data) === config.data;
  const part = flags.split ?? (isOwnData ? 'validation' : 'all');
  if (part !== 'all' && !isOwnData) {
    throw new DataError(
      `--split ${part} is a part of the run's own data (${config.data}). Received: --data ${flags.data}. Leave --split out, or give the run's data.`,
    );
  }
  const chosen: readonly Sample[] = part === 'all' ? samples : pick(samples, config.parts[part]);
  if (chosen.length === 0) throw new DataError(`The ${part} part of the run is empty. Choose another --split.`);
  const metadata = getMetadata(model);
  const threshold = flags.threshold ?? metadata?.threshold ?? 0.5;
  const matrix = new ConfusionMatrix({ numClasses: config.classes ?? 2, threshold });
  await withProgress(
    () => 'images',
    async (report) => {
      for (const [i, sample] of chosen.entries()) {
        signal.throwIfAborted();
        const { probability } = await predictProbability(model, sample);
        await matrix.update(sample.mask, probability);
        report({ status: 'evaluating', done: i + 1, total: chosen.length });
      }
    },
  );
  const all = matrix.result({ classes: 'all' });
  const { dice } = matrix.result({ classes: 'foreground' });
  const perImage = matrix.perImage({ classes: 'foreground' });
  const counts = matrix.perImageCounts('foreground');
  const names = metadata?.classes ?? defaultClasses(config.classes ?? 1);
  const document = {
    images: chosen.length,
    split: part,
    threshold: all.threshold,
    resolution: config.preprocessing.size,
    aggregation: all.aggregation,
    emptyPolicy: all.emptyPolicy,
    emptyCases: all.emptyCases,
    classes: names,
    meanIoU: all.meanIoU,
    dice,
    confidence: diceConfidence(
      chosen.map(({ group }, i) => ({ ...(group === undefined ? {} : { group }), counts: counts[i] ?? [] })),
    ),
    perClass: all.perClass.map((scores) => ({
      name: names[scores.class] ?? String(scores.class),
      iou: scores.iou,
      dice: scores.dice,
    })),
    perImage: chosen.map(({ name }, i) => ({ name, dice: perImage[i]?.dice ?? null, iou: perImage[i]?.iou ?? null })),
    trivial: trivialPredictors(config.trivial, chosen),
  };
  if (flags.json) printJson(document);
  const { trivial, confidence } = document;
  const interval =
    confidence.dice === null
      ? confidence.reason
      : `${confidence.level * 100} % interval ${confidence.dice.map(percent).join(' to ')} over ${confidence.n} ${confidence.unit}s`;
  log(`${document.images} images (${part})  Dice ${percent(dice)} (${interval})  MIoU ${percent(document.meanIoU)}`);
  log(`all foreground  Dice ${percent(trivial.allForeground.dice)}  MIoU ${percent(trivial.allForeground.meanIoU)}`);
  log(`Otsu (${trivial.otsu.polarity})  Dice ${percent(trivial.otsu.dice)}  MIoU ${percent(trivial.otsu.meanIoU)}`);
  log(
    `best threshold (${trivial.bestThreshold.polarity}, ${trivial.bestThreshold.threshold.toFixed(3)})  Dice ${percent(trivial.bestThreshold.dice)}  MIoU ${percent(trivial.bestThreshold.meanIoU)}`,
  );
}

export function evaluateCommand(signal: AbortSignal): Command {
  return new Command('evaluate')
    .description('Score a trained run on images with masks.')
    .requiredOption('--run <run>', "the folder that 'train' wrote")
    .requiredOption('--data <dir>', 'images with masks')
    .option(
      '--split <part>',
      'train, validation, test or all; default validation of its own data, else all',
      parse.oneOf(SPLITS),
    )
    .option('--threshold <p>', 'foreground from this probability on; default 0.5', parse.probability)
    .option('--backend <name>', 'wasm, cpu, tensorflow, webgpu or auto', 'wasm')
    .option('--json', 'print one JSON document', false)
    .action((flags: EvaluateFlags) => evaluate(flags, signal));
}
