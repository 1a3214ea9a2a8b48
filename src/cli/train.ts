/** `pyconvunet train`: a network on a data set, into a run folder. */
import { Command } from 'commander';
import { isOneGroup, split } from '../data/index.js';
import { names as lossNames } from '../losses/index.js';
import { names as modelNames } from '../models/index.js';
import { describeParts, type RunConfig, readRunConfig, requireFreshFolder } from '../training/files/index.js';
import type { TrainResult } from '../training/index.js';
import { backendOption, startBackend } from './backend.js';
import { dataId, load } from './data.js';
import { createOutput, duration, type Output, printJson, scoreText, shellWord } from './output.js';
import * as parse from './parsers.js';
import { resumeRun, startRun } from './trainRun.js';
import { badUsage } from './usage.js';

interface TrainFlags {
  readonly data?: string;
  readonly model: (typeof modelNames)[number];
  readonly out?: string;
  readonly resume?: string;
  readonly backend: string;
  readonly epochs: number;
  readonly batch: number;
  readonly microBatch?: number;
  readonly learningRate: number;
  readonly size?: [number, number];
  readonly seed: number;
  readonly widths?: number[];
  readonly deepSupervision: boolean;
  readonly loss: (typeof lossNames)[number];
  readonly augment: 'none' | 'random' | 'expand';
  readonly groupBy?: string;
  readonly blocks: boolean;
  readonly validation: number;
  readonly test: number;
  readonly window?: [number, number];
  readonly classes?: number;
  readonly threads: number;
  readonly json: boolean;
}

/** The command that makes the same run again. */
function commandLine(flags: TrainFlags, data: string, out: string): string {
  const given: [string, string | undefined][] = [
    ['--data', data],
    ['--model', flags.model],
    ['--out', out],
    ['--backend', flags.backend],
    ['--epochs', String(flags.epochs)],
    ['--batch', String(flags.batch)],
    ['--micro-batch', flags.microBatch === undefined ? undefined : String(flags.microBatch)],
    ['--learning-rate', String(flags.learningRate)],
    ['--size', flags.size?.join('x')],
    ['--seed', String(flags.seed)],
    ['--widths', flags.widths?.join(',')],
    ['--loss', flags.loss],
    ['--augment', flags.augment],
    ['--group-by', flags.groupBy],
    ['--validation', String(flags.validation)],
    ['--test', String(flags.test)],
    ['--window', flags.window?.join(',')],
    ['--threads', flags.threads === 1 ? undefined : String(flags.threads)],
    ['--classes', flags.classes === undefined ? undefined : String(flags.classes)],
  ];
  const words = given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, shellWord(value)]));
  if (flags.blocks) words.push('--blocks');
  if (flags.deepSupervision) words.push('--deep-supervision');
  return ['pyconvunet train', ...words].join(' ');
}

async function newRun(
  flags: TrainFlags,
  data: string,
  out: string,
  output: Output,
  signal: AbortSignal,
): Promise<TrainResult> {
  await requireFreshFolder(out);
  const backend = await startBackend(flags.backend, output.log, flags.threads);
  const { size, window, classes, groupBy } = flags;
  const { samples, preprocessing } = await load(
    data,
    {
      signal,
      ...(size === undefined ? {} : { size }),
      ...(window === undefined ? {} : { window }),
      ...(classes === undefined ? {} : { classes }),
      ...(groupBy === undefined ? {} : { groupBy }),
    },
    output,
  );
  const blocks = flags.blocks || (groupBy === undefined && isOneGroup(samples));
  if (blocks && !flags.blocks) {
    output.log('All images are pages of one stack: its parts are blocks of contiguous pages, as with --blocks.');
  }
  const parts = split(samples, { seed: flags.seed, validation: flags.validation, test: flags.test, blocks });
  output.log(
    `${samples.length} images: ${parts.train.length} for training, ${parts.validation.length} for validation, ${parts.test.length} for the test.`,
  );
  const config: RunConfig = {
    formatVersion: 1,
    data: dataId(data),
    model: flags.model,
    widths: flags.widths ?? null,
    deepSupervision: flags.deepSupervision,
    backend: backend.name,
    epochs: flags.epochs,
    batch: flags.batch,
    microBatch: flags.microBatch ?? flags.batch,
    learningRate: flags.learningRate,
    loss: flags.loss,
    augment: flags.augment,
    seed: flags.seed,
    classes: classes ?? null,
    groupBy: groupBy ?? null,
    blocks,
    validation: flags.validation,
    test: flags.test,
    threads: flags.threads,
    preprocessing,
    ...describeParts(parts),
    command: commandLine(flags, data, out),
  };
  return startRun(config, parts, { folder: out, output, signal });
}

/** What may stand beside --resume; everything else is the run's own. */
const WITH_RESUME = ['resume', 'data', 'json'];

function refuseOthersWithResume(command: Command): void {
  const others = command.options.filter(
    (option) =>
      command.getOptionValueSource(option.attributeName()) === 'cli' && !WITH_RESUME.includes(option.attributeName()),
  );
  if (others.length > 0) {
    const flags = others.map(({ long }) => long).join(', ');
    badUsage(
      `--resume goes on with the run's own settings; only --data (where its data lies now) and --json may stand beside it. Received: ${flags}.`,
    );
  }
}

async function runTrain(flags: TrainFlags, command: Command, signal: AbortSignal): Promise<void> {
  const output = createOutput(flags);
  const started = performance.now();
  let folder: string;
  let result: TrainResult;
  if (flags.resume !== undefined) {
    refuseOthersWithResume(command);
    folder = flags.resume;
    const config = await readRunConfig(folder);
    await startBackend(config.backend, output.log, config.threads);
    result = await resumeRun(config, flags.data ?? config.data, { folder, output, signal });
  } else {
    const { data, out } = flags;
    if (data === undefined || out === undefined) {
      badUsage('train needs --data and --out, or --resume RUN to go on with a run.');
    }
    if (flags.validation + flags.test >= 1) {
      badUsage(
        `--validation and --test must leave a part for training. Received: ${flags.validation} and ${flags.test}.`,
      );
    }
    if (flags.microBatch !== undefined && flags.microBatch > flags.batch) {
      badUsage(`--micro-batch must be at most --batch. Received: ${flags.microBatch} and ${flags.batch}.`);
    }
    folder = out;
    result = await newRun(flags, data, out, output, signal);
  }
  const { history, best } = result;
  const seconds = (performance.now() - started) / 1000;
  output.log(
    `Done in ${duration(seconds)}. Best epoch ${best?.epoch ?? 0}: Dice ${scoreText(best?.dice ?? null)}, MIoU ${scoreText(best?.meanIoU ?? null)}. Model: ${folder}/model.json`,
  );
  if (flags.json) printJson({ run: folder, history, best, seconds });
}

export function trainCommand(signal: AbortSignal): Command {
  return new Command('train')
    .description('Train a network on a folder of images and masks.')
    .option('--data <dir>', 'folder with image/ and mask/ (and other layouts), or phantom:lung|liver|cell')
    .option('--model <name>', `network: ${modelNames.join(', ')}`, parse.oneOf(modelNames), 'pyconvunet')
    .option('--out <run>', 'new folder for the run')
    .option('--resume <run>', 'go on with an interrupted run; --data says where its data lies now, if it moved')
    .addOption(backendOption())
    .option('--epochs <n>', 'epochs', parse.count, 50)
    .option('--batch <n>', 'images in a step', parse.count, 5)
    .option(
      '--micro-batch <n>',
      'images that are computed at once: a batch that does not fit is taken in such pieces, of each of which batch normalisation takes its statistics, so that results differ from whole batches; default: all of a step',
      parse.count,
    )
    .option('--learning-rate <rate>', 'of Adam', parse.positive, 1e-3)
    .option('--size <n>', 'resize images to N or HEIGHTxWIDTH pixels', parse.size)
    .option('--seed <n>', 'of weights, split, order and augmentation', parse.seed, 0)
    .option('--widths <a,b,...>', 'channels of each stage; sets depth and width', parse.widths)
    .option('--deep-supervision', 'of unet++: a head at each depth', false)
    .option('--loss <name>', lossNames.join(', '), parse.oneOf(lossNames), 'bce')
    .option('--augment <kind>', 'none, random or expand', parse.oneOf(['none', 'random', 'expand'] as const), 'random')
    .option(
      '--group-by <regex>',
      "pattern on the name, or 'volume': slices of one group stay in one part",
      parse.groupBy,
    )
    .option('--blocks', 'the images are sections of one specimen: the parts are blocks of contiguous ones', false)
    .option('--validation <share>', 'share of the images for validation', parse.fraction, 0.2)
    .option('--test <share>', 'share of the images for a test part', parse.share, 0)
    .option('--window <centre,width>', 'intensity window, for example of CT in HU', parse.window)
    .option('--classes <n>', 'masks hold the labels 0..n-1', parse.classes)
    .option(
      '--threads <n>',
      'threads of planned networks on backend wasm; the result does not depend on it',
      parse.threads,
      1,
    )
    .option('--json', 'print one JSON document', false)
    .action((flags: TrainFlags, command: Command) => runTrain(flags, command, signal));
}
