/** Schemas of the JSON documents that the command prints; `schemas/` is generated from them. */
import { z } from 'zod';
import { names as modelNames } from '../models/index.js';
import { bestEpochSchema, historySchema, thresholdRuleSchema } from '../training/files/index.js';

const score = z.number().min(0).max(1).nullable();
const count = z.int().min(0);
const trivialScores = z.strictObject({ dice: score, meanIoU: score });

/** `pyconvunet train --json`. */
export const trainDocument = z.strictObject({
  run: z.string(),
  history: historySchema,
  best: bestEpochSchema.nullable(),
  seconds: z.number(),
});

/** `pyconvunet demo --json`. */
export const demoDocument = z.strictObject({
  /** Path of report.html. */
  report: z.string(),
  predictions: z.string(),
  rows: z.array(z.strictObject({ model: z.enum(modelNames), dice: score, meanIoU: score })),
  seconds: z.number(),
});

/** `pyconvunet experiment --dry-run --json`. */
export const dryRunDocument = z.strictObject({
  runs: z.array(
    z.strictObject({
      model: z.enum(modelNames),
      dataset: z.string(),
      seed: z.int(),
      fold: z.int().nullable(),
      steps: count,
      seconds: z.number(),
      bytes: z.number(),
      finished: z.boolean(),
    }),
  ),
  /** Of the runs that are left. */
  hours: z.number(),
  peakBytes: z.number(),
});

/** `pyconvunet evaluate --json`. */
export const evaluateDocument = z.strictObject({
  images: z.int().min(1),
  split: z.enum(['train', 'validation', 'test', 'all']),
  /** Foreground from this probability on; null where the most probable class decides. */
  threshold: z.number().nullable(),
  /** [height, width] that images and masks were scored at; null: each at its own. */
  resolution: z.tuple([count, count]).readonly().nullable(),
  aggregation: z.enum(['dataset', 'image']),
  emptyPolicy: z.enum(['one', 'zero', 'ignore']),
  /** Images without foreground in truth and prediction, whose own scores are the empty policy's. */
  emptyCases: z.strictObject({ images: count, classes: count }),
  classes: z.array(z.string()).readonly(),
  /** Over all classes. */
  meanIoU: score,
  /** Of the foreground, over the whole set. */
  dice: score,
  /** All classes above 0 taken as one: how the trivial predictors are scored. */
  foreground: trivialScores,
  confidence: z.strictObject({
    dice: z.tuple([z.number(), z.number()]).readonly().nullable(),
    level: z.number(),
    unit: z.enum(['group', 'image']),
    n: count,
    reason: z.string().optional(),
    note: z.string().optional(),
  }),
  perClass: z.array(z.strictObject({ name: z.string(), iou: score, dice: score })),
  /** Of the foreground. */
  perImage: z.array(z.strictObject({ name: z.string(), dice: score, iou: score })),
  trivial: z.strictObject({
    allForeground: trivialScores,
    otsu: trivialScores.extend({ polarity: z.enum(['bright', 'dark']) }),
    bestThreshold: trivialScores.extend(thresholdRuleSchema.shape),
  }),
});

/** `pyconvunet predict --json`. */
export const predictDocument = z.strictObject({
  out: z.string(),
  images: z.array(
    z.strictObject({
      name: z.string(),
      mask: z.string(),
      overlay: z.string(),
      /** Share of the pixels that are not background. */
      foreground: z.number().min(0).max(1),
    }),
  ),
});

const cost = z.strictObject({ params: count, macs: z.number() });

/** `pyconvunet complexity --json`. */
export const complexityDocument = z.strictObject({
  model: z.enum(modelNames),
  inputShape: z.array(z.int().min(1)).length(3),
  classes: z.int().min(1),
  params: z.strictObject({ trainable: count, nonTrainable: count, total: count }),
  macs: count,
  flops: count,
  convention: z.enum(['macs', 'paper']),
  layers: z.array(
    z.strictObject({
      name: z.string(),
      className: z.string(),
      outputShape: z.array(count),
      params: count,
      macs: count,
      closedForm: cost.optional(),
    }),
  ),
  pyramidalConvolutions: z.strictObject({ real: cost, closedForm: cost, note: z.string() }).optional(),
  warnings: z.array(z.string()),
});

/** `pyconvunet complexity --all --json`. */
export const comparisonDocument = z.strictObject({ models: z.array(complexityDocument) });

const contenderName = z.strictObject({
  backend: z.string(),
  way: z.enum(['planned', 'layer by layer']),
  /** Null where the backend does not say. */
  threads: z.int().min(1).nullable(),
});
const profileRow = z.strictObject({
  name: z.string(),
  ms: z.number(),
  share: z.number(),
  /** Of the operations that the kernels really do. */
  gflops: z.number().nullable(),
  calls: count,
});

/** `pyconvunet benchmark --json`. */
export const benchmarkDocument = z.strictObject({
  work: z.enum(['inference', 'training']),
  /** Images in a training step. */
  batch: z.int().min(1),
  rounds: z.int().min(1),
  machine: z.strictObject({
    processor: z.string(),
    cores: z.int().nullable(),
    memoryBytes: z.number(),
    system: z.string(),
    runtime: z.strictObject({ name: z.enum(['node', 'deno', 'bun', 'browser', 'unknown']), version: z.string() }),
    simd: z.enum(['simd128', 'relaxed']),
    /** Processes that wanted a core, mean of the minute before. */
    loadBefore: z.number(),
  }),
  /** Backends that are not here. */
  skipped: z.array(z.strictObject({ backend: z.string(), reason: z.string() })),
  networks: z.array(
    z.strictObject({
      name: z.string(),
      inputShape: z.tuple([count, count, count]).readonly(),
      classes: count,
      params: count,
      /** Multiply-accumulates of a forward pass of one image. */
      macs: z.number(),
      timed: z
        .array(
          contenderName.extend({
            /** The least of the rounds' medians. */
            ms: z.number(),
            /** How far the greatest median is above it, as a share. */
            spread: z.number(),
            medians: z.array(z.number()).readonly(),
            gflops: z.number(),
            /** Time in units of the fastest contender's. */
            ratio: z.number(),
            bytes: z.number(),
            firstMs: z.number(),
            difference: z.number().nullable(),
          }),
        )
        .readonly(),
      notTimed: z
        .array(contenderName.extend({ status: z.enum(['skipped', 'wrong', 'failed']), reason: z.string() }))
        .readonly(),
      profile: z
        .strictObject({
          ms: z.number(),
          gflops: z.number(),
          kinds: z.array(profileRow).readonly(),
          stages: z.array(profileRow).readonly(),
          steps: z.array(profileRow.extend({ kind: z.string() })).readonly(),
        })
        .nullable(),
    }),
  ),
});
export type BenchmarkDocument = z.infer<typeof benchmarkDocument>;

/** `pyconvunet draw --json`: the figure itself, or with --out the file that holds it. */
export const drawDocument = z.strictObject({
  model: z.enum(modelNames),
  figure: z.enum(['network', 'pyconv']),
  inputShape: z.array(z.int().min(1)).length(3),
  svg: z.string().optional(),
  file: z.string().optional(),
});

const engineReport = z.strictObject({
  /** tfjs kernels of the backend: this package's by name, and the number of TensorFlow.js's. */
  kernels: z.strictObject({ ours: z.array(z.string()).readonly(), tfjs: count }),
  simd: z.enum(['simd128', 'relaxed']),
  threads: z.strictObject({ possible: z.int().min(1), reason: z.string() }),
  /** Bytes; `heap` is tfjs's, null before the backend has started. */
  memory: z.strictObject({ limit: z.number(), heap: z.number().nullable() }),
  selfTest: z
    .array(
      z.strictObject({
        algorithm: z.string(),
        of: z.enum(['output', 'gradient of the input', 'gradient of the filter']),
        /** Relative to the largest value; null where a value is not finite. */
        error: z.number().nullable(),
        bound: z.number(),
      }),
    )
    .readonly(),
});

/** `pyconvunet doctor --json`. */
export const doctorDocument = z.object({
  backends: z.array(
    z.strictObject({
      name: z.string(),
      available: z.boolean(),
      reason: z.string(),
      forward: z.boolean(),
      training: z.boolean(),
      missing: z.array(z.string()),
      current: z.boolean(),
      adapter: z.string().nullable(),
      software: z.boolean(),
      /** The kernels that this package brings for it; null for other backends and where they do not run. */
      engine: engineReport.nullable(),
    }),
  ),
  problems: z.array(z.string()),
});
