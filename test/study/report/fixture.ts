/** A study's report from made-up runs: no network is trained, every number follows from the options. */
import type { NetworkName } from '../../../src/models/index.js';
import { definitionsOf } from '../../../src/study/report/definitions.js';
import { chooseCases, type FigureCase, inFigureOrder } from '../../../src/study/report/figure4.js';
import { comparisonsOf, rowsOf } from '../../../src/study/report/rows.js';
import { listRuns, type RunKey } from '../../../src/study/runs.js';
import {
  type CaseResult,
  type RunResult,
  reportSchema,
  type StudyConfig,
  type StudyReport,
} from '../../../src/study/schemas.js';

/** What differs between fixtures. */
export interface FixtureOptions {
  /** The networks with the pixels that each gets wrong in every image; the same number is no difference. */
  readonly models?: Partial<Record<NetworkName, number>>;
  readonly datasets?: readonly string[];
  /** Of every data set; a folder's name, so that a network can be marked best. Default phantoms. */
  readonly source?: string;
  readonly seeds?: readonly number[];
  readonly folds?: number | null;
  readonly test?: boolean;
  readonly epochs?: number;
  readonly images?: number;
  readonly size?: number;
  readonly origin?: string;
  readonly command?: string;
}

const DEFAULTS: Required<FixtureOptions> = {
  models: { unet: 40, pyconvunet: 12 },
  datasets: ['phantom-lung', 'phantom-cell'],
  source: 'phantom:lung',
  seeds: [1, 2],
  folds: null,
  test: false,
  epochs: 4,
  images: 12,
  size: 16,
  origin: 'drawn by the test',
  command: 'pyconvunet experiment --config study.json --out FOLDER',
};

const networksOf = (models: Partial<Record<NetworkName, number>>): NetworkName[] =>
  Object.keys(models) as NetworkName[];

function configOf(options: Required<FixtureOptions>): StudyConfig {
  const { datasets, models, source, seeds, folds, test, epochs, images, size, origin } = options;
  return {
    formatVersion: 1,
    protocol: 'custom',
    data: datasets.map((name) => ({
      name,
      source,
      groupBy: null,
      blocks: false,
      window: null,
      images: images * 5,
      origin,
    })),
    models: networksOf(models),
    widths: [4, 8],
    deepSupervision: false,
    epochs: Math.max(1, epochs),
    batch: 5,
    microBatch: null,
    learningRate: 0.001,
    loss: 'bce',
    augment: 'none',
    size: [size, size],
    seeds: [...seeds],
    splitSeed: 0,
    validation: 0.2,
    test: test ? 0.2 : 0,
    folds,
    backend: 'wasm',
    threads: 1,
  };
}

/** An image's counts: half of it is foreground, `wrong` pixels of which are missed; a little otherwise in each image. */
function caseOf(name: string, index: number, wrong: number, pixels: number): CaseResult {
  const foreground = pixels / 2;
  const fn = Math.min(foreground, wrong + (index % 5));
  const tp = foreground - fn;
  return {
    name,
    group: null,
    tp,
    fp: 0,
    fn,
    tn: foreground,
    dice: (2 * tp) / (2 * tp + fn),
    iou: tp / foreground,
    surfaceDice: 1 - fn / pixels,
    hausdorff95: index === 0 ? null : fn / 7,
    objects: 3,
    missed: index % 2,
    spurious: index === 1 ? 1 : 0,
  };
}

const ratio = (cases: readonly CaseResult[]): { dice: number; meanIoU: number } => {
  const sum = (key: 'tp' | 'fp' | 'fn' | 'tn') => cases.reduce((total, each) => total + each[key], 0);
  const wrong = sum('fp') + sum('fn');
  return {
    dice: (2 * sum('tp')) / (2 * sum('tp') + wrong),
    meanIoU: (sum('tp') / (sum('tp') + wrong) + sum('tn') / (sum('tn') + wrong)) / 2,
  };
};

function runOf({ model, dataset, seed, fold }: RunKey, options: Required<FixtureOptions>): RunResult {
  const { models, epochs, images, size, test } = options;
  const wrong = (models[model] ?? 0) + seed;
  const cases = (prefix: string, more: number) =>
    Array.from({ length: images }, (_, i) => caseOf(`${prefix}_${i}`, i, wrong + more, size * size));
  const part = (prefix: string, more: number) => {
    const scored = cases(prefix, more);
    return { ...ratio(scored), cases: scored };
  };
  const validation = `image${fold ?? ''}`;
  const curve = (from: number, to: number) =>
    Array.from({ length: epochs }, (_, i) => to + (from - to) / (i + 1) + wrong / 1000);
  return {
    formatVersion: 1,
    model,
    dataset,
    seed,
    fold,
    history: {
      loss: curve(0.7, 0.1),
      valLoss: curve(0.7, 0.2),
      valMeanIoU: curve(0.4, 0.9),
      valDice: curve(0.2, 0.9),
    },
    best: { epoch: Math.max(1, epochs - 1), ...part(validation, 0) },
    last: { epoch: Math.max(1, epochs), ...part(validation, 3) },
    test: test ? part('held', 1 + (fold ?? 0)) : null,
    secondsPerEpoch: 2 + wrong / 100,
    secondsPerImage: 0.01 + wrong / 10_000,
    peakBytes: { training: 40_000_000 + wrong, inference: 1_500_000 + wrong },
    machine: { backend: 'wasm', threads: 1, processor: 'a processor', system: 'a system' },
  };
}

const trivial = (value: number) => ({ dice: value, meanIoU: value / 2 });

/** The report, as the schema has it. */
export function makeReport(given: FixtureOptions = {}): StudyReport {
  const options = { ...DEFAULTS, ...given };
  const config = configOf(options);
  const runs = listRuns(config).map((key) => runOf(key, options));
  const { images, size, folds, test, origin, datasets } = options;
  return reportSchema.parse({
    formatVersion: 1,
    protocol: 'custom',
    deviations: ['epochs: 4 (the paper: 50)'],
    datasets: datasets.map((name, i) => ({
      name,
      origin,
      images: images * 5,
      size: [size, size],
      channels: 1,
      train: images * (test ? 3 : 4),
      validation: images,
      test: test ? images : 0,
      folds,
      split: 'images',
      groups: null,
      window: i === 0 ? [40, 400] : null,
      foreground: 0.5,
      trivial: {
        allForeground: trivial(0.6667),
        otsu: { ...trivial(0.7123), polarity: 'dark' },
        bestThreshold: { ...trivial(0.7321), polarity: 'bright', threshold: 0.1 },
      },
    })),
    runs,
    rows: rowsOf(config, runs),
    comparisons: comparisonsOf(config, runs),
    complexity: config.models.map((model, i) => ({
      model,
      inputShape: [size, size, 1],
      params: 1_234_567 + i * 7_000_000,
      macs: 9_876_543_210 + i,
      paperMacs: 10_000_000_000 + i,
    })),
    definitions: definitionsOf(config),
    config,
    versions: { pyconvunet: '1.2.3', node: 'v20' },
    machines: [{ backend: 'wasm', threads: 1, processor: 'a processor', system: 'a system' }],
    command: options.command,
  });
}

/** A square image whose left half is the true foreground. */
function sampleOf(name: string, size: number) {
  return {
    name,
    width: size,
    height: size,
    channels: 1,
    image: Float32Array.from({ length: size * size }, (_, i) => ((i % 17) / 8 - 1) * 0.9),
    mask: Uint8Array.from({ length: size * size }, (_, i) => (i % size < size / 2 ? 1 : 0)),
  };
}

/** The cases of Fig. 4 of such a report: each network misses columns of the foreground, another number each. */
export function makeFigures(report: StudyReport): FigureCase[] {
  const size = report.datasets[0]?.size[0] ?? 16;
  return report.datasets.flatMap(({ name }) =>
    chooseCases(
      name,
      Array.from({ length: 4 }, (_, i) => ({
        sample: sampleOf(`image_${i}`, size),
        predictions: inFigureOrder(report.config.models).map((model, k) => ({
          model,
          mask: Uint8Array.from({ length: size * size }, (_, at) => (at % size < size / 2 - k - i ? 1 : 0)),
          dice: 1 / (1 + k + i),
        })),
      })),
    ),
  );
}
