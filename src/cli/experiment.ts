/** `pyconvunet experiment`: networks, data sets and seeds compared as the paper did it, with a report. */
import { Command } from 'commander';
import { names as lossNames } from '../losses/index.js';
import { names as modelNames } from '../models/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { type DatasetInput, readStudyInput, resolveStudy, type StudyInput } from '../study/files/index.js';
import { BACKENDS, startBackend } from './backend.js';
import { createOutput, printJson, shellWord } from './output.js';
import * as parse from './parsers.js';
import { estimateWithLines, loadStudy, runInFolder, sum } from './study.js';
import { badUsage } from './usage.js';

interface ExperimentFlags {
  readonly data?: string[];
  readonly models?: (typeof modelNames)[number][];
  readonly protocol?: 'custom' | 'quick' | 'paper';
  readonly config?: string;
  readonly out: string;
  readonly backend?: string;
  readonly threads?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly microBatch?: number;
  readonly learningRate?: number;
  readonly size?: [number, number];
  readonly seeds?: number[];
  readonly splitSeed?: number;
  readonly widths?: number[];
  readonly loss?: (typeof lossNames)[number];
  readonly augment?: 'none' | 'random' | 'expand';
  readonly groupBy?: string;
  readonly blocks?: boolean;
  readonly window?: [number, number];
  readonly images?: number;
  readonly validation?: number;
  readonly test?: number;
  readonly folds?: number;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** What --group-by, --blocks, --window and --images say of a data set; phantoms have no groups and no window. */
function datasetOf(source: string, { groupBy, blocks, window, images }: ExperimentFlags): DatasetInput {
  const count = images === undefined ? {} : { images };
  if (source.startsWith('phantom:')) return { source, ...count };
  return {
    source,
    ...count,
    ...(groupBy === undefined ? {} : { groupBy }),
    ...(blocks === undefined ? {} : { blocks }),
    ...(window === undefined ? {} : { window }),
  };
}

/** The file's configuration with the options over it. */
async function inputOf(flags: ExperimentFlags): Promise<StudyInput> {
  const file = flags.config === undefined ? {} : await readStudyInput(flags.config);
  const { data } = flags;
  const ofData = [flags.groupBy, flags.blocks, flags.window, flags.images];
  if (data === undefined && ofData.some((flag) => flag !== undefined)) {
    badUsage(
      '--group-by, --blocks, --window and --images speak of --data. Give it, or write them into the configuration.',
    );
  }
  const { protocol, models, epochs, batch, learningRate, size, seeds, splitSeed } = flags;
  const { microBatch, widths, loss, augment, validation, test, folds, backend, threads } = flags;
  const settings = {
    ...{ protocol, models, epochs, batch, learningRate, size, seeds, splitSeed },
    ...{ microBatch, widths, loss, augment, validation, test, folds, backend, threads },
    data: data?.map((source) => datasetOf(source, flags)),
    // The file's deep supervision goes with its UNet++.
    deepSupervision: models === undefined || models.includes('unet++') ? undefined : false,
  };
  return { ...file, ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) };
}

/** The configuration; what is wrong with it is bad usage, told before a backend starts. */
function legalStudy(input: StudyInput): ReturnType<typeof resolveStudy> {
  try {
    return resolveStudy(input);
  } catch (error) {
    if (error instanceof InvalidArgumentError) badUsage(error.message);
    throw error;
  }
}

async function experiment(flags: ExperimentFlags, signal: AbortSignal): Promise<void> {
  const output = createOutput(flags);
  const { log } = output;
  const input = await inputOf(flags);
  const { backend, threads } = legalStudy(input);
  const { name } = await startBackend(backend, log, threads);
  const study = await loadStudy({ ...input, backend: name }, flags.out, { output, signal });
  for (const { dataset, samples, splits } of study.datasets) {
    const [parts] = splits;
    const counted = new Set(samples.flatMap(({ group }) => group ?? [])).size;
    const groups = counted === 0 ? '' : ` of ${counted} ${counted === 1 ? 'group' : 'groups'}`;
    const folds = splits.length > 1 ? ` in each of ${splits.length} folds` : '';
    log(
      `${dataset.name}: ${samples.length} images${groups}: ${parts?.train.length} for training, ${parts?.validation.length} for validation, ${parts?.test.length} for the test${folds}.`,
    );
  }
  if (flags.dryRun) {
    const runs = await estimateWithLines(study, { output, signal });
    const left = runs.filter(({ finished }) => !finished);
    if (flags.json) {
      printJson({
        runs,
        hours: sum(left.map(({ seconds }) => seconds)) / 3600,
        peakBytes: Math.max(0, ...runs.map(({ bytes }) => bytes)),
      });
    }
    return;
  }
  const { report } = await runInFolder(study, {
    output,
    signal,
    goOn: `the same command, --out ${shellWord(flags.out)}`,
  });
  if (flags.json) printJson(report);
}

export function experimentCommand(signal: AbortSignal): Command {
  return new Command('experiment')
    .description(
      'Compare networks on data sets as the paper did it; writes report.html and report.json, and goes on where it stopped.',
    )
    .option(
      '--data <dir>',
      'folder with image/ and mask/ (and other layouts), or phantom:lung|liver|cell; may be given again',
      parse.collect,
    )
    .option(
      '--models <a,b,...>',
      `networks: ${modelNames.join(', ')}; default unet,pyconvunet, of a protocol all seven`,
      parse.someOf(modelNames),
    )
    .requiredOption('--out <dir>', 'folder of the study, new or to go on with')
    .option('--config <file>', 'study.json with any of these settings; options win over it')
    .option(
      '--protocol <name>',
      'sets what is left out; paper: 512x512, 50 epochs, enlarged five times; quick: small, on phantoms; default custom',
      parse.oneOf(['custom', 'quick', 'paper'] as const),
    )
    .option('--backend <name>', `${BACKENDS.join(', ')}; default wasm`, parse.oneOf(BACKENDS))
    .option(
      '--threads <n>',
      'threads of planned networks on backend wasm; the result does not depend on it; default 1',
      parse.threads,
    )
    .option('--epochs <n>', 'epochs of each run; default 50', parse.count)
    .option('--batch <n>', 'images in a step; default 5', parse.count)
    .option(
      '--micro-batch <n>',
      'images that are computed at once: a batch that does not fit is taken in such pieces (see train); default: all of a step',
      parse.count,
    )
    .option('--learning-rate <rate>', 'of Adam; default 0.001', parse.positive)
    .option('--size <n>', 'resize images to N or HEIGHTxWIDTH pixels', parse.size)
    .option('--seeds <a,b,...>', 'each network is trained once with each; default 0', parse.seeds)
    .option('--split-seed <n>', 'of the parts, the same for all runs; default 0', parse.seed)
    .option('--widths <a,b,...>', 'channels of each stage of every network', parse.widths)
    .option('--loss <name>', `${lossNames.join(', ')}; default bce`, parse.oneOf(lossNames))
    .option(
      '--augment <kind>',
      'none, random or expand; default random',
      parse.oneOf(['none', 'random', 'expand'] as const),
    )
    .option(
      '--group-by <regex>',
      "pattern on the name, or 'volume': slices of one group stay in one part",
      parse.groupBy,
    )
    .option('--blocks', 'the images are sections of one specimen: the parts are blocks of contiguous ones')
    .option('--window <centre,width>', 'intensity window, for example of CT in HU', parse.window)
    .option('--images <n>', 'at most so many images of each data set', parse.count)
    .option('--validation <share>', 'share of the images for validation; default 0.2', parse.fraction)
    .option('--test <share>', 'share of the images for a test part; default 0', parse.share)
    .option('--folds <k>', 'cross-validation in k folds', parse.folds)
    .option('--dry-run', 'print hours and memory of each run, and stop', false)
    .option('--json', 'print one JSON document', false)
    .action((flags: ExperimentFlags) => experiment(flags, signal));
}
