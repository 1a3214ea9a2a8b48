/** A training run in a folder: what `train` and `demo` do, and what `--resume` goes on with. */
import { totalmem } from 'node:os';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Sample } from '../data/index.js';
import { defaultClasses, setMetadata } from '../inference/index.js';
import { create, type NetworkName } from '../models/index.js';
import {
  createRun,
  type RunConfig,
  readCheckpoint,
  saveModel,
  writeCheckpoint,
  writeHistory,
} from '../training/files/index.js';
import {
  type EpochReport,
  estimateStepSeconds,
  requireMemory,
  type TrainingProgress,
  type TrainingState,
  type TrainResult,
  train,
} from '../training/index.js';
import { loadForRun, pick } from './data.js';
import { duration, type Log, withProgress } from './output.js';

/** The network of a run, before training. */
export function buildModel(
  config: Pick<RunConfig, 'model' | 'widths' | 'classes' | 'seed' | 'preprocessing'>,
): tfl.LayersModel {
  const { model: name, widths, classes, seed, preprocessing } = config;
  const common = {
    inputShape: [null, null, preprocessing.channels] as const,
    numClasses: classes ?? 1,
    seed,
    ...(widths === null ? {} : { widths }),
  };
  // Narrow stages cannot hold the paper's groups.
  const model =
    name === 'pyconvunet' && widths !== null
      ? create(name, { ...common, groups: 'auto' })
      : create<NetworkName>(name, common);
  setMetadata(model, {
    formatVersion: 1,
    network: name,
    preprocessing,
    classes: defaultClasses(classes ?? 1),
    threshold: 0.5,
  });
  return model;
}

/** The samples of a run's parts. */
export interface Parts {
  readonly train: readonly Sample[];
  readonly validation: readonly Sample[];
  readonly test: readonly Sample[];
}

export interface RunContext {
  readonly folder: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

function epochLine(
  { epoch, loss, valLoss, valDice, valMeanIoU, seconds, isBest }: EpochReport,
  epochs: number,
): string {
  const scores = `loss ${loss.toFixed(4)}  val loss ${valLoss.toFixed(4)}  Dice ${valDice.toFixed(4)}  MIoU ${valMeanIoU.toFixed(4)}`;
  return `epoch ${epoch}/${epochs}  ${scores}  ${duration(seconds)}${isBest ? '  best' : ''}`;
}

const progressText = ({ epoch, epochs, loss, rate, secondsLeft }: TrainingProgress): string =>
  `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  ${rate.toFixed(2)} steps/s  ${duration(secondsLeft)} left`;

/** Says what the run will take, and refuses what the backend cannot hold. */
async function announceCost(model: tfl.LayersModel, parts: Parts, config: RunConfig, log: Log): Promise<void> {
  const [first] = parts.train;
  if (first === undefined) return;
  const size = { height: first.height, width: first.width, batchSize: Math.min(config.batch, parts.train.length) };
  const { bytes, limit } = requireMemory(model, size, totalmem());
  const images = parts.train.length * (config.augment === 'expand' ? 5 : 1);
  const steps = Math.ceil(images / config.batch) * config.epochs;
  const seconds = steps * (await estimateStepSeconds(model, size));
  const gigabytes = (value: number) => `${(value / 2 ** 30).toFixed(2)} GB`;
  const held = limit === null ? '' : ` of ${gigabytes(limit)}`;
  log(
    `Estimated memory ${gigabytes(bytes)}${held}; estimated time ${duration(seconds)} for ${steps} steps (from one forward pass).`,
  );
}

/** Trains in a run folder, from the start or from a checkpoint. */
async function trainIn(
  model: tfl.LayersModel,
  parts: Parts,
  config: RunConfig,
  context: RunContext,
  state?: TrainingState,
): Promise<TrainResult> {
  const { folder, log, signal } = context;
  return withProgress<TrainingProgress, TrainResult>(progressText, (onProgress) =>
    train(
      model,
      { training: parts.train, validation: parts.validation },
      {
        epochs: config.epochs,
        batchSize: config.batch,
        learningRate: config.learningRate,
        loss: config.loss,
        augment: config.augment,
        seed: config.seed,
        signal,
        ...(state === undefined ? {} : { state }),
        onProgress,
        onEpoch: async (report) => {
          if (report.isBest) await saveModel(model, folder);
          log(epochLine(report, config.epochs));
        },
        onState: async (current) => {
          await writeHistory(folder, current.history);
          await writeCheckpoint(folder, current);
        },
      },
    ),
  ).catch((error: unknown) => {
    if (signal.aborted) log(`Stopped; the run is saved. Go on with: pyconvunet train --resume ${folder}`);
    throw error;
  });
}

/** Makes the run folder and trains. */
export async function startRun(config: RunConfig, parts: Parts, context: RunContext): Promise<TrainResult> {
  const model = buildModel(config);
  await announceCost(model, parts, config, context.log);
  await createRun(context.folder, config);
  return trainIn(model, parts, config, context);
}

/** Reads a run back: its configuration, its parts and its checkpoint. */
export async function resumeRun(context: RunContext, config: RunConfig): Promise<TrainResult> {
  const state = await readCheckpoint(context.folder);
  const { samples } = await loadForRun(config.data, config, context.signal);
  const parts = {
    train: pick(samples, config.parts.train),
    validation: pick(samples, config.parts.validation),
    test: pick(samples, config.parts.test),
  };
  context.log(`Going on at epoch ${state.epoch + 1} of ${config.epochs}.`);
  return trainIn(buildModel(config), parts, config, context, state);
}
