/** A training run in a folder: what `train` does, and what `--resume` goes on with. */
import { totalmem } from 'node:os';
import type * as tfl from '@tensorflow/tfjs-layers';
import { digestsOf } from '../data/files/index.js';
import type { Sample, Split } from '../data/index.js';
import { DataError } from '../runtime/errors.js';
import {
  buildModel,
  createRun,
  firstDifference,
  imagesOf,
  partsOf,
  type RunConfig,
  readCheckpoint,
  stepsOf,
  trainInFolder,
} from '../training/files/index.js';
import {
  type EpochReport,
  estimateStepSeconds,
  gibibytes,
  requireMemory,
  type TrainingProgress,
  type TrainingState,
  type TrainResult,
} from '../training/index.js';
import { load, runLoadOptions } from './data.js';
import { duration, type Output, shellWord } from './output.js';

export interface RunContext {
  readonly folder: string;
  readonly output: Output;
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
async function announceCost(
  model: tfl.LayersModel,
  parts: Split<Sample>,
  config: RunConfig,
  { log }: Output,
): Promise<void> {
  const [first] = parts.train;
  if (first === undefined) return;
  const { height, width } = first;
  const { microBatch, threads } = config;
  const samples = imagesOf(parts, config);
  // A batch of more images than there are is one of all of them.
  const size = { height, width, batchSize: Math.min(config.batch, samples), microBatch, samples, threads };
  log('Estimating memory and time.');
  const { bytes, limit } = requireMemory(model, size, totalmem());
  const steps = stepsOf(parts, config);
  const seconds = steps * (await estimateStepSeconds(model, size));
  const held = limit === null ? '' : ` of ${gibibytes(limit)}`;
  log(
    `Estimated memory ${gibibytes(bytes)}${held}; estimated time ${duration(seconds)} for ${steps} steps (from forward passes of one image).`,
  );
}

/** A part without any foreground scores 1 by convention whatever the network does: said before training. */
function warnOfEmptyParts(parts: Split<Sample>, { log }: Output): void {
  for (const name of ['train', 'validation'] as const) {
    if (parts[name].every(({ mask }) => mask.every((label) => label === 0))) {
      log(`Warning: no mask of the ${name} part holds any foreground.`);
    }
  }
}

/** Trains with a bar and a line for each epoch. */
async function trainIn(
  model: tfl.LayersModel,
  parts: Split<Sample>,
  config: RunConfig,
  { folder, output, signal }: RunContext,
  state?: TrainingState,
): Promise<TrainResult> {
  try {
    return await output.withProgress<TrainingProgress, TrainResult>(progressText, (onProgress) =>
      trainInFolder(folder, model, parts, config, {
        signal,
        onProgress,
        ...(state === undefined ? {} : { state }),
        onEpoch: (report) => output.log(epochLine(report, config.epochs)),
      }),
    );
  } catch (error) {
    // Only the signal's own reason says that the state was written before the loop ended.
    if (error === signal.reason) {
      output.log(`Stopped; the run is saved. Go on with: pyconvunet train --resume ${shellWord(folder)}`);
    }
    throw error;
  }
}

/** Makes the run folder and trains. */
export async function startRun(config: RunConfig, parts: Split<Sample>, context: RunContext): Promise<TrainResult> {
  const model = buildModel(config);
  warnOfEmptyParts(parts, context.output);
  await announceCost(model, parts, config, context.output);
  await createRun(context.folder, config);
  return trainIn(model, parts, config, context);
}

/**
 * Goes on with a run.
 *
 * @param data Where its data lies now.
 * @throws DataError where the data is not what the run was begun with.
 */
export async function resumeRun(config: RunConfig, data: string, context: RunContext): Promise<TrainResult> {
  const state = await readCheckpoint(context.folder);
  if (state.epoch >= config.epochs) {
    context.output.log(`The run has finished its ${config.epochs} epochs.`);
    return { history: state.history, best: state.best, execution: null };
  }
  const { samples } = await load(data, runLoadOptions(config, context.signal), context.output);
  const difference = firstDifference(digestsOf(samples), config);
  if (difference !== undefined) {
    throw new DataError(
      `${data} is not the data that the run was begun with: ${difference}. Give its own data by --data, or start a new run.`,
    );
  }
  const parts = partsOf(samples, config);
  const model = buildModel(config);
  await announceCost(model, parts, config, context.output);
  context.output.log(`Going on at epoch ${state.epoch + 1} of ${config.epochs}.`);
  return trainIn(model, parts, config, context, state);
}
