/** Schemas of a study's documents: its configuration, and the result of each run. `schemas/` is generated from them. */
import { z } from 'zod';
import { names as lossNames } from '../losses/index.js';
import { names as modelNames } from '../models/index.js';
import { historySchema } from '../training/files/index.js';

const count = z.int().min(0);
const positive = z.int().min(1);

/** One data set of a study. */
export const datasetSchema = z.strictObject({
  /** How the report calls it; also a folder's name. Default: of the source. */
  name: z.string().regex(/^[\w][\w.+-]*$/, 'letters, digits, _, -, . and + only, one of the first three in front'),
  /** The folder, or phantom:lung|liver|cell. */
  source: z.string().min(1),
  /** 'volume' or a regular expression on the names: the patients or volumes that parts and intervals keep whole. */
  groupBy: z.string().nullable(),
  /** The images are contiguous sections of one specimen: the parts are blocks of them, and there is no interval. */
  blocks: z.boolean(),
  /** Intensity window [centre, width]. */
  window: z.tuple([z.number(), z.number().positive()]).readonly().nullable(),
  /** At most so many images, chosen by the study's split seed, whole groups first; of phantoms how many are drawn. */
  images: positive.nullable(),
  /** Where the data come from and under which terms, as the report states it. */
  origin: z.string().nullable(),
});

/** Everything that decides what a study does. */
export const studyConfigSchema = z.strictObject({
  formatVersion: z.literal(1),
  protocol: z.enum(['custom', 'quick', 'paper']),
  data: z.array(datasetSchema).min(1).readonly(),
  models: z.array(z.enum(modelNames)).min(1).readonly(),
  /** Channels of each stage of every network; null: each network's own. */
  widths: z.array(positive).min(2).readonly().nullable(),
  /** Of UNet++. */
  deepSupervision: z.boolean(),
  epochs: positive,
  batch: positive,
  /** Images of a batch that are computed at once; null: all. */
  microBatch: positive.nullable().default(null),
  learningRate: z.number().positive(),
  loss: z.enum(lossNames),
  augment: z.enum(['none', 'random', 'expand']),
  /** [height, width] that images and masks are resized to; null: their own, phantoms 512x512. */
  size: z.tuple([positive, positive]).readonly().nullable(),
  /** Seeds of weights, order and augmentation: each network is trained once with each. */
  seeds: z.array(z.int()).min(1).readonly(),
  /** Seed of the parts, which are the same in every run so that cases can be paired. */
  splitSeed: z.int(),
  /** Share of the images for validation; with folds the folds decide. */
  validation: z.number().gt(0).lt(1),
  /** Share of the images for a test part that no choice of an epoch sees. */
  test: z.number().min(0).lt(1),
  /** K of a cross-validation, or null for one split. */
  folds: z.int().min(2).nullable(),
  backend: z.string(),
  /** Of backend wasm: the results do not depend on it, and a study may go on with others. */
  threads: positive.default(1),
});

const score = z.number().nullable();

/** What a network did on one image; boundaries are measured in pixels of the study's size. */
export const caseSchema = z.strictObject({
  name: z.string(),
  group: z.string().nullable(),
  tp: count,
  fp: count,
  fn: count,
  tn: count,
  /** Of the foreground. */
  dice: score,
  iou: score,
  /** Share of both contours within one pixel of the other. */
  surfaceDice: score,
  /** 95 % Hausdorff distance in pixels; null where a mask is empty. */
  hausdorff95: score,
  /** Connected parts of the true foreground, those without any predicted pixel, and predicted parts without any true one. */
  objects: count,
  missed: count,
  spurious: count,
});

const partScores = {
  /** Over both classes, counts added up over all images. */
  meanIoU: z.number(),
  /** Of the foreground, counts added up over all images. */
  dice: z.number(),
  cases: z.array(caseSchema).readonly(),
};

/** A machine as a report names it. */
export const machineSchema = z.strictObject({
  backend: z.string(),
  /** That computed; null where the backend decides, or where fewer did than were asked for. */
  threads: positive.nullable(),
  processor: z.string(),
  system: z.string(),
});

/** How the steps of a run's last call were taken, those whose seconds are measured. */
export const executionSchema = z.strictObject({
  /** By a plan on backend wasm; else layer by layer. */
  planned: z.boolean(),
  /** Why not by a plan. */
  reason: z.string().nullable(),
  /** That computed the steps; null where the backend decides, or where fewer did than were asked for. */
  threads: positive.nullable(),
  /** Why fewer threads did than were asked for. */
  threadProblem: z.string().nullable(),
});

/** The scores of a network on the validation part after an epoch. */
export const epochResultSchema = z.strictObject({ epoch: positive, ...partScores });

/** result.json of a finished run. */
export const runResultSchema = z.strictObject({
  formatVersion: z.literal(1),
  model: z.enum(modelNames),
  dataset: z.string(),
  seed: z.int(),
  /** Counted from 1; null without folds. */
  fold: positive.nullable(),
  history: historySchema,
  /** By validation Dice. */
  best: epochResultSchema,
  last: epochResultSchema,
  /** The best epoch's network on the test part; null without one. */
  test: z.strictObject(partScores).nullable(),
  /** Median over the epochs that ran without interruption, validation included; null where none did. */
  secondsPerEpoch: z.number().nullable(),
  /** Median of the prediction of one image, after one to warm up. */
  secondsPerImage: z.number(),
  /** Largest sum of all tensors alive, in bytes, in a training step and in the prediction of one image. */
  peakBytes: z.strictObject({ training: count, inference: count }),
  /** Where it was measured. */
  machine: machineSchema,
  /** Null where only the scoring was left to do; not there in results of earlier versions. */
  execution: executionSchema.nullable().optional(),
});

const interval = z.tuple([z.number(), z.number()]).readonly();

/** Several numbers that stand for one. */
export const summarySchema = z.strictObject({
  n: count,
  /** Cases without a value, such as a distance to an empty mask. */
  undefined: count,
  mean: score,
  /** Of the sample (n - 1). */
  sd: score,
  median: score,
  min: score,
  max: score,
});

/** The scores of a network on a part of a data set, over all its seeds and folds. */
export const partSummarySchema = z.strictObject({
  /** Of the foreground over the whole set; the mean over seeds. */
  dice: z.number(),
  /** Of both classes over the whole set; the mean over seeds. */
  meanIoU: z.number(),
  bySeed: z.array(z.strictObject({ seed: z.int(), dice: z.number(), meanIoU: z.number() })).readonly(),
  /** Over seeds, of the sample (n - 1); null with one seed. */
  seedSd: z.strictObject({ dice: score, meanIoU: score }),
  /** Percentile bootstrap over units of the mean over seeds. */
  confidence: z.strictObject({
    dice: interval.nullable(),
    level: z.number(),
    unit: z.enum(['group', 'image']),
    n: count,
    reason: z.string().optional(),
    note: z.string().optional(),
  }),
  /** Over images, each the mean over seeds: how the paper's code averages. */
  perImage: z.strictObject({
    dice: summarySchema,
    iou: summarySchema,
    surfaceDice: summarySchema,
    hausdorff95: summarySchema,
  }),
  /** True objects over all seeds, how many of them were missed, and how many were made up. */
  objects: count,
  missed: count,
  spurious: count,
  /** Images without foreground in truth and prediction, which score 1, over all seeds. */
  emptyCases: count,
});

/** One network on one data set. */
export const rowSchema = z.strictObject({
  dataset: z.string(),
  model: z.enum(modelNames),
  best: partSummarySchema,
  last: partSummarySchema,
  test: partSummarySchema.nullable(),
  /** Medians over the runs. */
  secondsPerEpoch: z.number().nullable(),
  secondsPerImage: z.number(),
  peakBytes: z.strictObject({ training: count, inference: count }),
});

const pairSchema = z.strictObject({
  a: z.string(),
  b: z.string(),
  /** Dice of a minus that of b. */
  difference: score,
  interval: interval.nullable(),
  level: z.number(),
  p: score,
  holmP: score,
  method: z.enum(['exact', 'normal']).nullable(),
  ranksFavour: z.enum(['a', 'b']).nullable(),
  unit: z.enum(['group', 'image']),
  n: count,
  reason: z.string().optional(),
  note: z.string().optional(),
});

/** All pairs of networks on one data set; by the test part where there is one. */
export const comparisonSchema = z.strictObject({
  dataset: z.string(),
  part: z.enum(['validation', 'test']),
  pairs: z.array(pairSchema).readonly(),
  /** The network that is separated from every other; null with the reason. */
  best: z.strictObject({ name: z.string().nullable(), reason: z.string().optional() }),
});

const trivialSchema = z.strictObject({ dice: score, meanIoU: score });

/** A data set as the report states it. */
export const reportDatasetSchema = z.strictObject({
  name: z.string(),
  origin: z.string().nullable(),
  images: count,
  /** [height, width]. */
  size: z.tuple([positive, positive]).readonly(),
  channels: positive,
  /** Images of each part; with folds of the first fold. */
  train: count,
  validation: count,
  test: count,
  folds: z.int().nullable(),
  /** How the parts were made. */
  split: z.enum(['images', 'groups', 'blocks']),
  groups: count.nullable(),
  window: z.tuple([z.number(), z.number()]).readonly().nullable(),
  /** Share of foreground pixels. */
  foreground: z.number(),
  /** On the scored part, what they chose coming from the training part; with folds the mean over folds. */
  trivial: z.strictObject({
    allForeground: trivialSchema,
    otsu: trivialSchema.extend({ polarity: z.string() }),
    bestThreshold: trivialSchema.extend({ polarity: z.string(), threshold: z.number() }),
  }),
});

/** report.json of a study. */
export const reportSchema = z.strictObject({
  formatVersion: z.literal(1),
  protocol: z.enum(['custom', 'quick', 'paper']),
  /** What differs from the paper's protocol. */
  deviations: z.array(z.string()).readonly(),
  datasets: z.array(reportDatasetSchema).readonly(),
  runs: z.array(runResultSchema).readonly(),
  rows: z.array(rowSchema).readonly(),
  comparisons: z.array(comparisonSchema).readonly(),
  complexity: z
    .array(
      z.strictObject({
        model: z.enum(modelNames),
        /** [height, width, channels] of one image. */
        inputShape: z.array(positive).readonly(),
        /** Trainable ones. */
        params: count,
        /** Multiply-accumulates of the convolutions. */
        macs: count,
        /** As the paper counts them (convention 'paper'). */
        paperMacs: count,
      }),
    )
    .readonly(),
  /** How everything was counted. */
  definitions: z.array(z.string()).readonly(),
  config: studyConfigSchema,
  /** Those of the runs; several by name where they differ. */
  versions: z.record(z.string(), z.string()),
  /** Where the runs were made: one entry each. */
  machines: z.array(machineSchema).min(1).readonly(),
  command: z.string(),
});

/** One data set of a study, as study.json keeps it. */
export type StudyDataset = z.infer<typeof datasetSchema>;
/** Everything that decides what a study does: study.json. */
export type StudyConfig = z.infer<typeof studyConfigSchema>;
/** What a network did on one image. */
export type CaseResult = z.infer<typeof caseSchema>;
/** The scores of a network on the validation part after an epoch. */
export type EpochResult = z.infer<typeof epochResultSchema>;
/** What a finished run came to: result.json. */
export type RunResult = z.infer<typeof runResultSchema>;
/** The scores of a network on a part of a data set, over all its seeds and folds. */
export type PartSummary = z.infer<typeof partSummarySchema>;
/** One network on one data set: a row of Table 2. */
export type ReportRow = z.infer<typeof rowSchema>;
/** A data set as the report states it. */
export type ReportDataset = z.infer<typeof reportDatasetSchema>;
/** A machine as a report names it. */
export type Machine = z.infer<typeof machineSchema>;
/** The report of a study: report.json. */
export type StudyReport = z.infer<typeof reportSchema>;
