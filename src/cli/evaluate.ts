/** `pyconvunet evaluate`: a trained run on images with masks, beside trivial predictors. */
import { Command } from 'commander';
import { digestsOf } from '../data/files/index.js';
import { grouping, type Sample } from '../data/index.js';
import { getMetadata, predictProbability } from '../inference/index.js';
import { ConfusionMatrix, diceConfidence, trivialPredictors } from '../metrics/index.js';
import { DataError } from '../runtime/errors.js';
import { yieldToOthers } from '../runtime/yieldToOthers.js';
import { firstDifference, ONE_SPECIMEN, pick, type RunConfig, readRunConfig } from '../training/files/index.js';
import { backendOption, startBackend, threadsOption } from './backend.js';
import { load, runLoadOptions } from './data.js';
import { createOutput, type Output, printJson, scoreText } from './output.js';
import * as parse from './parsers.js';
import { loadRunModel } from './runModel.js';
import { badUsage } from './usage.js';

const SPLITS = ['train', 'validation', 'test', 'all'] as const;
type Part = (typeof SPLITS)[number];

interface EvaluateFlags {
  readonly run: string;
  readonly data: string;
  readonly split?: Part;
  readonly threshold?: number;
  readonly groupBy?: string;
  readonly backend: string;
  readonly threads: number;
  readonly json: boolean;
}

interface Chosen {
  readonly part: Part;
  readonly samples: readonly Sample[];
}

/** The images to score: those that the run was trained on only where --split says so. */
function choose(samples: readonly Sample[], config: RunConfig, flags: EvaluateFlags, { log }: Output): Chosen {
  const digests = digestsOf(samples);
  const difference = firstDifference(digests, config);
  const part = flags.split ?? (difference === undefined ? 'validation' : 'all');
  if (part !== 'all') {
    if (difference !== undefined) {
      throw new DataError(
        `--split ${part} is a part of the run's own data. Received: --data ${flags.data}, which is other data: ${difference}. Leave --split out, or give the run's data.`,
      );
    }
    if (config.parts[part].length === 0)
      throw new DataError(`The ${part} part of the run is empty. Choose another --split.`);
    return { part, samples: pick(samples, config.parts[part]) };
  }
  if (flags.split === 'all') return { part, samples };
  const trained = new Set(config.parts.train.map((name) => config.digests[name]));
  const unseen = samples.filter((sample) => !trained.has(digests[sample.name] ?? ''));
  if (unseen.length < samples.length) {
    log(
      `${samples.length - unseen.length} of ${samples.length} images are left out: the run was trained on them. --split all scores them too.`,
    );
  }
  if (unseen.length === 0)
    throw new DataError(`The run was trained on every image of ${flags.data}. Give other images, or --split all.`);
  return { part, samples: unseen };
}

/** The unit of the interval: the group that the caller names, else that of the run where the names have it. */
function groupOf(sample: Sample, config: RunConfig, flags: EvaluateFlags): string | undefined {
  if (flags.groupBy !== undefined) return grouping(flags.groupBy)(sample.name);
  if (config.digests[sample.name] === undefined) return sample.group;
  if (config.blocks) return ONE_SPECIMEN;
  return config.groupBy === null ? sample.group : grouping(config.groupBy)(sample.name);
}

async function evaluate(flags: EvaluateFlags, signal: AbortSignal): Promise<void> {
  const output = createOutput(flags);
  const config = await readRunConfig(flags.run);
  if (flags.threshold !== undefined && config.classes !== null) {
    badUsage(
      `--threshold is for runs of one class against the background; of ${config.classes} classes the most probable one is taken.`,
    );
  }
  await startBackend(flags.backend, output.log, flags.threads);
  const model = await loadRunModel(flags.run);
  const loaded = await load(flags.data, { ...runLoadOptions(config, signal), mixedSizes: true }, output);
  const { part, samples } = choose(loaded.samples, config, flags, output);
  const metadata = getMetadata(model);
  if (metadata === undefined) throw new DataError(`${flags.run}/model.json was not written by 'pyconvunet train'.`);
  const matrix = new ConfusionMatrix({
    numClasses: config.classes ?? 2,
    threshold: flags.threshold ?? metadata.threshold,
  });
  await output.withProgress(
    () => 'images',
    async (report) => {
      for (const [i, sample] of samples.entries()) {
        await yieldToOthers();
        signal.throwIfAborted();
        const { probability } = await predictProbability(model, sample, { threads: flags.threads });
        await matrix.update(sample.mask, probability);
        report({ status: 'evaluating', done: i + 1, total: samples.length });
      }
    },
  );
  const all = matrix.result({ classes: 'all' });
  const perImage = matrix.perImage({ classes: 'foreground' });
  const counts = matrix.perImageCounts('foreground');
  const { classes: names } = metadata;
  const document = {
    images: samples.length,
    split: part,
    threshold: all.threshold,
    resolution: config.preprocessing.size,
    aggregation: all.aggregation,
    emptyPolicy: all.emptyPolicy,
    emptyCases: matrix.result({ classes: 'foreground', aggregation: 'image' }).emptyCases,
    classes: names,
    meanIoU: all.meanIoU,
    dice: matrix.result({ classes: 'foreground' }).dice,
    foreground: matrix.foreground(),
    confidence: diceConfidence(
      samples.map((sample, i) => {
        const group = groupOf(sample, config, flags);
        return { ...(group === undefined ? {} : { group }), counts: counts[i] ?? [] };
      }),
    ),
    perClass: all.perClass.map(({ class: label, iou, dice }) => ({ name: names[label] ?? String(label), iou, dice })),
    perImage: samples.map(({ name }, i) => ({ name, dice: perImage[i]?.dice ?? null, iou: perImage[i]?.iou ?? null })),
    trivial: trivialPredictors(config.trivial, samples),
  };
  if (flags.json) printJson(document);
  printScores(document, config, output);
}

type Scored = Pick<ReturnType<typeof diceConfidence>, 'dice' | 'level' | 'unit' | 'n' | 'reason'>;

interface Printed {
  readonly images: number;
  readonly split: Part;
  readonly dice: number | null;
  readonly meanIoU: number | null;
  readonly foreground: { readonly dice: number | null; readonly meanIoU: number | null };
  readonly confidence: Scored;
  readonly trivial: ReturnType<typeof trivialPredictors>;
}

function printScores(
  { images, split, dice, meanIoU, foreground, confidence, trivial }: Printed,
  { classes }: RunConfig,
  { log }: Output,
): void {
  const interval =
    confidence.dice === null
      ? confidence.reason
      : `${confidence.level * 100} % interval ${confidence.dice.map(scoreText).join(' to ')} over ${confidence.n} ${confidence.unit}s`;
  const line = (name: string, scores: { dice: number | null; meanIoU: number | null }) =>
    log(`${name}  Dice ${scoreText(scores.dice)}  MIoU ${scoreText(scores.meanIoU)}`);
  log(`${images} images (${split})  Dice ${scoreText(dice)} (${interval})  MIoU ${scoreText(meanIoU)}`);
  if (classes !== null) line('all classes as one foreground, as for the predictors below', foreground);
  line('all foreground', trivial.allForeground);
  line(`Otsu (${trivial.otsu.polarity})`, trivial.otsu);
  line(
    `best threshold (${trivial.bestThreshold.polarity}, ${trivial.bestThreshold.threshold.toFixed(3)})`,
    trivial.bestThreshold,
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
    .option('--threshold <p>', "foreground from this probability on; default the model's own, 0.5", parse.fraction)
    .option('--group-by <regex>', 'unit of the interval: pattern on the name, or volume', parse.groupBy)
    .addOption(backendOption())
    .addOption(threadsOption())
    .option('--json', 'print one JSON document', false)
    .action((flags: EvaluateFlags) => evaluate(flags, signal));
}
