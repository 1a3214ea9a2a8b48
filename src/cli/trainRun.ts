/** A training run in a folder: what `train` and `demo` do, and what `--resume` goes on with. */
import { totalmem } from 'node:os';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expand } from '../augment/index.js';
import type { Sample } from '../data/index.js';
import { defaultClasses, setMetadata } from '../inference/index.js';
import { create, type NetworkName } from '../models/index.js';
import { DataError, InvalidArgumentError } from '../runtime/errors.js';
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
  gibibytes,
  requireMemory,
  type TrainingProgress,
  type TrainingState,
  type TrainResult,
  train,
} from '../training/index.js';
import { digestsOf, firstDifference, load, pick, runLoadOptions } from './data.js';
import { duration, type Output, shellWord } from './output.js';

/** The options that --widths gives a network; narrow stages cannot hold the paper's groups. */
export function widthOptions(name: NetworkName, widths: readonly number[] | null | undefined) {
  if (widths === null || widths === undefined) return {};
  if (name !== 'pyconvunet') return { widths };
  const odd = widths.find((width) => width % 8 !== 0);
  if (odd !== undefined) {
    throw new InvalidArgumentError(
      `--widths of pyconvunet must be multiples of 8, since its levels make 1/8, 1/8, 1/4 and 1/2 of the channels. Received: ${widths.join(',')}.`,
    );
  }
  return { widths, groups: 'auto' as const };
}

/** The network of a run, before training. */
export function buildModel(
  config: Pick<RunConfig, 'model' | 'widths' | 'classes' | 'seed' | 'preprocessing'>,
): tfl.LayersModel {
  const { model: name, widths, classes, seed, preprocessing } = config;
  const model = create<NetworkName>(name, {
    inputShape: [null, null, preprocessing.channels],
    numClasses: classes ?? 1,
    seed,
    ...widthOptions(name, widths),
  });
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
async function announceCost(model: tfl.LayersModel, parts: Parts, config: RunConfig, { log }: Output): Promise<void> {
  const [first] = parts.train;
  if (first === undefined) return;
  const size = { height: first.height, width: first.width, batchSize: Math.min(config.batch, parts.train.length) };
  const { bytes, limit } = requireMemory(model, size, totalmem());
  const images = config.augment === 'expand' ? expand(parts.train).length : parts.train.length;
  const steps = Math.ceil(images / config.batch) * config.epochs;
  const seconds = steps * (await estimateStepSeconds(model, size));
  const held = limit === null ? '' : ` of ${gibibytes(limit)}`;
  log(
    `Estimated memory ${gibibytes(bytes)}${held}; estimated time ${duration(seconds)} for ${steps} steps (from one forward pass).`,
  );
}

/** A part without any foreground scores 1 by convention whatever the network does: said before training. */
function warnOfEmptyParts(parts: Parts, { log }: Output): void {
  for (const name of ['train', 'validation'] as const) {
    if (parts[name].every(({ mask }) => mask.every((label) => label === 0))) {
      log(`Warning: no mask of the ${name} part holds any foreground.`);
    }
  }
}

/** Trains in a run folder, from the start or from a checkpoint. */
async function trainIn(
  model: tfl.LayersModel,
  parts: Parts,
  config: RunConfig,
  { folder, output, signal }: RunContext,
  state?: TrainingState,
): Promise<TrainResult> {
  try {
    return await output.withProgress<TrainingProgress, TrainResult>(progressText, (onProgress) =>
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
            output.log(epochLine(report, config.epochs));
          },
          onState: async (current) => {
            await writeHistory(folder, current.history);
            await writeCheckpoint(folder, current);
          },
        },
      ),
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
export async function startRun(config: RunConfig, parts: Parts, context: RunContext): Promise<TrainResult> {
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
    return { history: state.history, best: state.best };
  }
  const { samples } = await load(data, runLoadOptions(config, context.signal), context.output);
  const difference = firstDifference(digestsOf(samples), config);
  if (difference !== undefined) {
    throw new DataError(
      `${data} is not the data that the run was begun with: ${difference}. Give its own data by --data, or start a new run.`,
    );
  }
  const parts = {
    train: pick(samples, config.parts.train),
    validation: pick(samples, config.parts.validation),
    test: pick(samples, config.parts.test),
  };
  const model = buildModel(config);
  await announceCost(model, parts, config, context.output);
  context.output.log(`Going on at epoch ${state.epoch + 1} of ${config.epochs}.`);
  return trainIn(model, parts, config, context, state);
}
