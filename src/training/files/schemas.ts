/** Schemas of the documents that a run folder holds; `schemas/` is generated from them. */
import { z } from 'zod';
import { names as lossNames } from '../../losses/index.js';
import { names as modelNames } from '../../models/index.js';

/** history.json of a run: one number per epoch. */
export const historySchema = z.strictObject({
  loss: z.array(z.number()).readonly(),
  valLoss: z.array(z.number()).readonly(),
  valMeanIoU: z.array(z.number()).readonly(),
  valDice: z.array(z.number()).readonly(),
});

/** The best epoch of a run, by its validation part. */
export const bestEpochSchema = z.strictObject({
  epoch: z.int().min(1),
  meanIoU: z.number(),
  dice: z.number(),
});

export const preprocessingSchema = z.strictObject({
  channels: z.union([z.literal(1), z.literal(3)]),
  size: z
    .tuple([z.int().min(1), z.int().min(1)])
    .readonly()
    .nullable(),
  intensity: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('bytes') }),
    z.strictObject({ kind: z.literal('range'), low: z.number(), high: z.number() }),
    z.strictObject({ kind: z.literal('minmax') }),
  ]),
});

const polaritySchema = z.enum(['bright', 'dark']);

export const thresholdRuleSchema = z.strictObject({ threshold: z.number(), polarity: polaritySchema });

export const trivialRulesSchema = z.strictObject({
  otsu: z.strictObject({ polarity: polaritySchema }),
  bestThreshold: thresholdRuleSchema,
});

/** config.json of a run: everything that a second run needs to be the same. */
export const runConfigSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** The folder's full path, or phantom:NAME. */
  data: z.string(),
  model: z.enum(modelNames),
  widths: z.array(z.int().min(1)).nullable(),
  /** UNet++ with a head at each of its depths, the loss being their mean. */
  deepSupervision: z.boolean(),
  backend: z.string(),
  epochs: z.int().min(1),
  batch: z.int().min(1),
  /** Images of a batch that are computed at once. */
  microBatch: z.int().min(1),
  learningRate: z.number().positive(),
  loss: z.enum(lossNames),
  augment: z.enum(['none', 'random', 'expand']),
  seed: z.int(),
  classes: z.int().min(2).nullable(),
  groupBy: z.string().nullable(),
  /** The images are contiguous sections of one specimen, and the parts are blocks of them. */
  blocks: z.boolean(),
  validation: z.number(),
  test: z.number(),
  threads: z.int().min(1),
  preprocessing: preprocessingSchema,
  /** Names of the samples of each part. */
  parts: z.strictObject({
    train: z.array(z.string()),
    validation: z.array(z.string()),
    test: z.array(z.string()),
  }),
  /** What the prepared images and masks of all parts hold, by name: the first 16 hexadecimal digits of their SHA-256. */
  digests: z.record(z.string(), z.string().regex(/^[0-9a-f]{16}$/)),
  /** What trivial predictors learned from the training part, in preprocessed values. */
  trivial: trivialRulesSchema,
  versions: z.record(z.string(), z.string()),
  /** The command that runs it again. */
  command: z.string(),
});

/** What config.json of a run says. */
export type RunConfig = z.infer<typeof runConfigSchema>;

/** checkpoint.json of a run: where it stands, and which file holds its tensors. */
export const checkpointSchema = z.strictObject({
  formatVersion: z.literal(1),
  epoch: z.int().min(0),
  step: z.int().min(0),
  lossSum: z.number(),
  history: historySchema,
  best: bestEpochSchema.nullable(),
  optimizerSteps: z.int().min(0),
  dropoutCalls: z.record(z.string(), z.int().min(0)).readonly(),
  file: z.string().regex(/^checkpoint-\d+-\d+\.bin$/),
  /** Float32, little-endian, one after another in this order. */
  tensors: z.array(z.strictObject({ name: z.string(), shape: z.array(z.int().min(0)).readonly() })),
});
