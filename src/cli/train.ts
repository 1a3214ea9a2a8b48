/** `pyconvunet train`: a network on a data set, into a run folder. */
import { Command, CommanderError } from 'commander';
import { split } from '../data/index.js';
import { names as lossNames } from '../losses/index.js';
import { chooseTrivialRules } from '../metrics/index.js';
import { names as modelNames } from '../models/index.js';
import { UnsupportedBackendError } from '../runtime/errors.js';
import { type RunConfig, readRunConfig } from '../training/files/index.js';
import type { TrainResult } from '../training/index.js';
import { startBackend } from './backend.js';
import { dataId, load } from './data.js';
import { duration, logTo, percent, printJson } from './output.js';
import * as parse from './parsers.js';
import { resumeRun, startRun } from './trainRun.js';
import { versions } from './versions.js';

interface TrainFlags {
  readonly data?: string;
  readonly model: (typeof modelNames)[number];
  readonly out?: string;
  readonly resume?: string;
  readonly backend: string;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly size?: [number, number];
  readonly seed: number;
  readonly widths?: number[];
  readonly loss: (typeof lossNames)[number];
  readonly augment: 'none' | 'random' | 'expand';
  readonly groupBy?: string;
  readonly validation: number;
  readonly test: number;
  readonly window?: [number, number];
  readonly classes?: number;
  readonly threads: number;
  readonly json: boolean;
}

function badUsage(message: string): never {
  process.stderr.write(`error: ${message}\n`);
  throw new CommanderError(1, 'pyconvunet.usage', message);
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
    ['--classes', flags.classes === undefined ? undefined : String(flags.classes)],
  ];
  const quote = (text: string) => (/^[\w./:,+@=-]+$/.test(text) ? text : `'${text}'`);
  return [
    'pyconvunet train',
    ...given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, quote(value)])),
  ].join(' ');
}

async function newRun(
  flags: TrainFlags,
  data: string,
  out: string,
  signal: AbortSignal,
): Promise<{ folder: string; result: TrainResult }> {
  const log = logTo(flags.json);
  if (flags.threads !== 1) {
    throw new UnsupportedBackendError(
      `This version computes on one thread. Received: --threads ${flags.threads}. Leave it out.`,
    );
  }
  const backend = await startBackend(flags.backend, log);
  const { samples, preprocessing } = await load(data, {
    signal,
    ...(flags.size === undefined ? {} : { size: flags.size }),
    ...(flags.window === undefined ? {} : { window: flags.window }),
    ...(flags.classes === undefined ? {} : { classes: flags.classes }),
    ...(flags.groupBy === undefined ? {} : { groupBy: flags.groupBy }),
  });
  const parts = split(samples, { seed: flags.seed, validation: flags.validation, test: flags.test });
  log(
    `${samples.length} images: ${parts.train.length} for training, ${parts.validation.length} for validation, ${parts.test.length} for the test.`,
  );
  const names = (part: readonly { name: string }[]) => part.map(({ name }) => name);
  const config: RunConfig = {
    formatVersion: 1,
    data: dataId(data),
    model: flags.model,
    widths: flags.widths ?? null,
    backend: backend.name,
    epochs: flags.epochs,
    batch: flags.batch,
    learningRate: flags.learningRate,
    loss: flags.loss,
    augment: flags.augment,
    seed: flags.seed,
    classes: flags.classes ?? null,
    groupBy: flags.groupBy ?? null,
    validation: flags.validation,
    test: flags.test,
    threads: flags.threads,
    preprocessing,
    parts: { train: names(parts.train), validation: names(parts.validation), test: names(parts.test) },
    trivial: chooseTrivialRules(parts.train),
    versions: versions(),
    command: commandLine(flags, data, out),
  };
  return { folder: out, result: await startRun(config, parts, { folder: out, log, signal }) };
}

async function runTrain(flags: TrainFlags, signal: AbortSignal): Promise<void> {
  const log = logTo(flags.json);
  const started = performance.now();
  let run: { folder: string; result: TrainResult };
  if (flags.resume !== undefined) {
    const config = await readRunConfig(flags.resume);
    await startBackend(config.backend, log);
    run = { folder: flags.resume, result: await resumeRun({ folder: flags.resume, log, signal }, config) };
  } else {
    const { data, out } = flags;
    if (data === undefined || out === undefined)
      badUsage('train needs --data and --out, or --resume RUN to go on with a run.');
    run = await newRun(flags, data, out, signal);
  }
  const { history, best } = run.result;
  const seconds = (performance.now() - started) / 1000;
  log(
    `Done in ${duration(seconds)}. Best epoch ${best?.epoch ?? 0}: Dice ${percent(best?.dice ?? null)}, MIoU ${percent(best?.meanIoU ?? null)}. Model: ${run.folder}/model.json`,
  );
  if (flags.json) printJson({ run: run.folder, history, best, seconds });
}

export function trainCommand(signal: AbortSignal): Command {
  return new Command('train')
    .description('Train a network on a folder of images and masks.')
    .option('--data <dir>', 'folder with image/ and mask/ (and other layouts), or phantom:lung|liver|cell')
    .option('--model <name>', `network: ${modelNames.join(', ')}`, parse.oneOf(modelNames), 'pyconvunet')
    .option('--out <run>', 'new folder for the run')
    .option('--resume <run>', 'go on with an interrupted run')
    .option('--backend <name>', 'wasm, cpu, tensorflow, webgpu or auto', 'wasm')
    .option('--epochs <n>', 'epochs', parse.count, 50)
    .option('--batch <n>', 'images in a step', parse.count, 5)
    .option('--learning-rate <rate>', 'of Adam', parse.number, 1e-3)
    .option('--size <n>', 'resize images to N or HEIGHTxWIDTH pixels', parse.size)
    .option('--seed <n>', 'of weights, split, order and augmentation', parse.seed, 0)
    .option('--widths <a,b,...>', 'channels of each stage; sets depth and width', parse.widths)
    .option('--loss <name>', lossNames.join(', '), parse.oneOf(lossNames), 'bce')
    .option('--augment <kind>', 'none, random or expand', parse.oneOf(['none', 'random', 'expand'] as const), 'random')
    .option('--group-by <regex>', "pattern on the name, or 'volume': slices of one group stay in one part")
    .option('--validation <share>', 'share of the images for validation', parse.share, 0.2)
    .option('--test <share>', 'share of the images for a test part', parse.share, 0)
    .option('--window <centre,width>', 'intensity window, for example of CT in HU', parse.window)
    .option('--classes <n>', 'masks hold the labels 0..n-1', parse.count)
    .option('--threads <n>', 'threads of the backend', parse.count, 1)
    .option('--json', 'print one JSON document', false)
    .action((flags: TrainFlags) => runTrain(flags, signal));
}
