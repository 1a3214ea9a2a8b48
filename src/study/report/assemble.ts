/** The report as one document: what was run, what came out, and how it was counted. */
import { complexity } from '../../complexity/index.js';
import type { Sample, Split } from '../../data/index.js';
import { chooseTrivialRules, trivialPredictors } from '../../metrics/index.js';
import { create, type NetworkName } from '../../models/index.js';
import { widthOptions } from '../../models/widths.js';
import { deviations } from '../protocols.js';
import type { Machine, ReportDataset, RunResult, StudyConfig, StudyDataset, StudyReport } from '../schemas.js';
import { definitionsOf } from './definitions.js';
import { comparisonsOf, rowsOf } from './rows.js';

/** A data set as the report needs it. */
export interface ReportData {
  readonly dataset: StudyDataset;
  readonly samples: readonly Sample[];
  /** The parts are blocks of one specimen. */
  readonly blocks: boolean;
  readonly splits: readonly Split<Sample>[];
}

/** What only the caller knows: versions and the command. */
export interface ReportOrigin {
  readonly versions: Readonly<Record<string, string>>;
  readonly command: string;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function meanOrNull(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : mean(present);
}

/** The trivial predictors on the scored part of each split. */
function trivialOf(splits: readonly Split<Sample>[]): ReportDataset['trivial'] {
  const reports = splits.map(({ train, validation, test }) =>
    trivialPredictors(chooseTrivialRules(train), test.length > 0 ? test : validation),
  );
  const [first] = reports;
  if (first === undefined) throw new Error('A data set has at least one split.');
  const scores = (name: keyof typeof first) => ({
    dice: meanOrNull(reports.map((report) => report[name].dice)),
    meanIoU: meanOrNull(reports.map((report) => report[name].meanIoU)),
  });
  return {
    allForeground: scores('allForeground'),
    otsu: { ...scores('otsu'), polarity: first.otsu.polarity },
    bestThreshold: {
      ...scores('bestThreshold'),
      polarity: first.bestThreshold.polarity,
      threshold: first.bestThreshold.threshold,
    },
  };
}

function describe({ dataset, samples, blocks, splits }: ReportData): ReportDataset {
  const [first] = samples;
  const [parts] = splits;
  if (first === undefined || parts === undefined) throw new Error(`Data set ${dataset.name} is empty.`);
  const groups = new Set(samples.flatMap(({ group }) => group ?? []));
  const pixels = samples.reduce((sum, { mask }) => sum + mask.length, 0);
  const foreground = samples.reduce((sum, { mask }) => sum + mask.reduce((ones, label) => ones + label, 0), 0);
  return {
    name: dataset.name,
    origin: dataset.origin,
    images: samples.length,
    size: [first.height, first.width],
    channels: first.channels,
    train: parts.train.length,
    validation: parts.validation.length,
    test: parts.test.length,
    folds: splits.length > 1 ? splits.length : null,
    split: blocks ? 'blocks' : groups.size > 0 ? 'groups' : 'images',
    groups: blocks ? 1 : groups.size > 0 ? groups.size : null,
    window: dataset.window,
    foreground: foreground / pixels,
    trivial: trivialOf(splits),
  };
}

/** Parameters and MACs of a network at the size of the first data set. */
function complexityOf(
  model: NetworkName,
  config: StudyConfig,
  { samples }: ReportData,
): StudyReport['complexity'][number] {
  const [first] = samples;
  if (first === undefined) throw new Error('A data set has at least one image.');
  const inputShape = [first.height, first.width, first.channels] as const;
  const network = create<NetworkName>(model, {
    inputShape: [null, null, first.channels],
    seed: 0,
    ...widthOptions(model, config.widths),
    ...(model === 'unet++' && config.deepSupervision ? { deepSupervision: true } : {}),
  });
  try {
    const { params, macs } = complexity(network, { inputShape });
    const paper = complexity(network, { inputShape, convention: 'paper' });
    return { model, inputShape, params: params.trainable, macs, paperMacs: paper.macs };
  } finally {
    network.dispose();
  }
}

/** Each once. */
function distinct(machines: readonly Machine[]): Machine[] {
  return [...new Map(machines.map((machine) => [JSON.stringify(machine), machine])).values()];
}

/** A source without the path of the machine: whoever repeats the study has the data elsewhere. */
const withoutPath = (source: string): string => source.split(/[\\/]/).at(-1) ?? source;

/**
 * Assembles a study's report.
 *
 * @param config The study.
 * @param data Its data sets, in the order of the configuration.
 * @param results The result of every run, in the order of `listRuns`.
 * @param origin Versions, machine and command.
 */
export function assembleReport(
  config: StudyConfig,
  data: readonly ReportData[],
  results: readonly RunResult[],
  origin: ReportOrigin,
): StudyReport {
  const [first] = data;
  if (first === undefined) throw new Error('A study has at least one data set.');
  return {
    formatVersion: 1,
    protocol: config.protocol,
    deviations: deviations(config),
    datasets: data.map(describe),
    runs: results,
    rows: rowsOf(config, results),
    comparisons: comparisonsOf(config, results),
    complexity: config.models.map((model) => complexityOf(model, config, first)),
    definitions: definitionsOf(config),
    config: { ...config, data: config.data.map((each) => ({ ...each, source: withoutPath(each.source) })) },
    versions: { ...origin.versions },
    machines: distinct(results.map(({ machine }) => machine)),
    command: origin.command,
  };
}
