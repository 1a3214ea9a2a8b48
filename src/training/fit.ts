/** The training loop: epochs, shuffle, augmentation, validation, and a state from which it goes on with the same bits. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { expand, random } from '../augment/index.js';
import { batchIndices, epochOrder, packBatch, requireOneSize, type Sample } from '../data/index.js';
import { create as createLoss, type Loss, type LossName } from '../losses/index.js';
import { Adam } from '../optimizers/index.js';
import { DataError } from '../runtime/errors.js';
import type { LongCallOptions, Progress } from '../runtime/progress.js';
import {
  type BestEpoch,
  betterEpoch,
  EMPTY_HISTORY,
  type EpochScores,
  extendHistory,
  type History,
} from './history.js';
import { logitsModel } from './logitsModel.js';
import { captureState, restoreState, type TrainingPosition, type TrainingState } from './state.js';
import { trainStep } from './step.js';
import { validate } from './validate.js';

/** Progress of {@link fit}: `done` and `total` count steps. */
export interface TrainingProgress extends Progress {
  /** The epoch under way, counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  /** Steps per second since the call began. */
  readonly rate: number;
  /** Estimated seconds to the end, validation included. */
  readonly secondsLeft: number;
}

/** What {@link FitOptions.onEpoch} receives. */
export interface EpochReport extends EpochScores {
  /** Counted from 1. */
  readonly epoch: number;
  /** The model's weights are now the best by validation Dice. */
  readonly isBest: boolean;
  readonly seconds: number;
}

/** Options of {@link fit}. */
export interface FitOptions extends LongCallOptions<TrainingProgress> {
  /** Default 50, as the paper. */
  readonly epochs?: number;
  /** Default 5, as the paper; the last, smaller batch of an epoch is kept. */
  readonly batchSize?: number;
  /** Default 1e-3. */
  readonly learningRate?: number;
  /** A loss by name, from logits; default 'bce'. */
  readonly loss?: LossName;
  /**
   * 'none'; 'random' (default): each batch one of identity, flips and rotations; 'expand': the training part enlarged five
   * times by the paper's four transforms.
   */
  readonly augment?: 'none' | 'random' | 'expand';
  /** Seed of shuffling and augmentation, 0 included. Default 0. */
  readonly seed?: number;
  /** The state of an interrupted run, to go on from. */
  readonly state?: TrainingState;
  /** Called after each epoch, before `onState`. */
  readonly onEpoch?: (report: EpochReport) => Promise<void> | void;
  /** Called at the start, after each epoch, and where the call is aborted, with the state to go on from. */
  readonly onState?: (state: TrainingState) => Promise<void> | void;
}

/** What {@link fit} returns. The model holds the weights of the last epoch. */
export interface FitResult {
  readonly history: History;
  readonly best: BestEpoch | null;
}

/** The event loop's turn: signals, timers and the page's own work run between two steps. */
const yieldToOthers = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

type Position = Omit<TrainingPosition, 'optimizerSteps' | 'dropoutCalls'>;

interface Run {
  readonly logitsModel: tfl.LayersModel;
  readonly optimizer: Adam;
  readonly loss: Loss;
  readonly training: readonly Sample[];
  readonly options: Required<Pick<FitOptions, 'epochs' | 'batchSize' | 'augment' | 'seed'>> & FitOptions;
}

/** The samples of one batch, augmented. All samples of a batch share one transform, as in the reference recipe. */
function batchSamples(run: Run, indices: readonly number[], epoch: number, step: number): Sample[] {
  const samples = indices.flatMap((index) => run.training[index] ?? []);
  const { augment, seed } = run.options;
  return augment === 'random' ? random(samples, { seed, epoch, step }) : samples;
}

/**
 * Trains a network: Adam on the loss of the logits, the paper's recipe by default. Shuffling, augmentation and dropout
 * follow from the seed, the epoch and the step, so that a run that is resumed from its state ends with the same bits on
 * backends that compute in one order (cpu, wasm with one thread).
 *
 * @param model A network of this package (or any model with a layer named `logits`); trained in place.
 * @param data Training and validation samples of one size.
 * @param options See {@link FitOptions}.
 * @returns History and best epoch; the weights of the best epoch are there when `onEpoch` says `isBest`.
 * @throws DataError where samples differ in size or there are none; `signal.reason` where aborted, after `onState`.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 * import { fit } from 'pyconvunet/training';
 *
 * const square = (name: string) => ({
 *   name, width: 16, height: 16, channels: 1,
 *   image: Float32Array.from({ length: 256 }, (_, i) => (i % 16 < 8 ? -1 : 1)),
 *   mask: Uint8Array.from({ length: 256 }, (_, i) => (i % 16 < 8 ? 0 : 1)),
 * });
 * const model = models.uNet({ widths: [4, 8], inputShape: [16, 16, 1], seed: 1 });
 * const { history } = await fit(model, { training: [square('a'), square('b')], validation: [square('c')] }, { epochs: 2 });
 * console.log(history.loss.length); // 2
 * ```
 */
export async function fit(
  model: tfl.LayersModel,
  data: { readonly training: readonly Sample[]; readonly validation: readonly Sample[] },
  options: FitOptions = {},
): Promise<FitResult> {
  const {
    epochs = 50,
    batchSize = 5,
    augment = 'random',
    seed = 0,
    learningRate = 1e-3,
    loss = 'bce',
    signal,
  } = options;
  if (data.training.length === 0 || data.validation.length === 0) {
    throw new DataError(
      `Training needs at least one sample in each part. Received: ${data.training.length} for training, ${data.validation.length} for validation.`,
    );
  }
  requireOneSize([...data.training, ...data.validation]);
  const run: Run = {
    logitsModel: logitsModel(model),
    optimizer: new Adam({ learningRate }),
    loss: createLoss(loss, { fromLogits: true }),
    training: augment === 'expand' ? expand(data.training) : data.training,
    options: { ...options, epochs, batchSize, augment, seed },
  };
  let position: Position = options.state ?? { epoch: 0, step: 0, lossSum: 0, history: EMPTY_HISTORY, best: null };
  const save = async () => options.onState?.(await captureState(model, run.optimizer, position));
  try {
    if (options.state !== undefined) restoreState(model, run.optimizer, options.state);
    else await save();
    const report = progressOf(run, position);
    while (position.epoch < epochs) {
      const started = performance.now();
      const epoch = position.epoch + 1;
      const batches = batchIndices(epochOrder(run.training.length, { seed, epoch }), batchSize);
      while (position.step < batches.length) {
        if (signal?.aborted) {
          await save();
          signal.throwIfAborted();
        }
        const batch = packBatch(batchSamples(run, batches[position.step] ?? [], epoch, position.step));
        const stepLoss = trainStep(run.logitsModel, run.loss, run.optimizer, batch);
        const value = (await stepLoss.data())[0] ?? Number.NaN;
        stepLoss.dispose();
        position = { ...position, step: position.step + 1, lossSum: position.lossSum + value };
        report(position);
        await yieldToOthers();
      }
      const scores = await validate(run.logitsModel, data.validation, { loss: run.loss, batchSize });
      const epochScores: EpochScores = {
        loss: position.lossSum / position.step,
        valLoss: scores.loss,
        valMeanIoU: scores.matrix.result({ classes: 'all' }).meanIoU ?? Number.NaN,
        valDice: scores.matrix.result({ classes: 'foreground' }).dice ?? Number.NaN,
      };
      const best = betterEpoch(position.best, { epoch, meanIoU: epochScores.valMeanIoU, dice: epochScores.valDice });
      position = { epoch, step: 0, lossSum: 0, history: extendHistory(position.history, epochScores), best };
      await options.onEpoch?.({
        ...epochScores,
        epoch,
        isBest: best.epoch === epoch,
        seconds: (performance.now() - started) / 1000,
      });
      await save();
    }
    return { history: position.history, best: position.best };
  } finally {
    run.optimizer.dispose();
  }
}

/** A reporter of progress whose rate counts from now. */
function progressOf(run: Run, start: { epoch: number; step: number }) {
  const { epochs, batchSize, onProgress } = run.options;
  const stepsPerEpoch = Math.ceil(run.training.length / batchSize);
  const total = epochs * stepsPerEpoch;
  const already = start.epoch * stepsPerEpoch + start.step;
  const begin = performance.now();
  return (position: { epoch: number; step: number; lossSum: number }) => {
    const done = position.epoch * stepsPerEpoch + position.step;
    const rate = (done - already) / ((performance.now() - begin) / 1000);
    onProgress?.({
      status: 'training',
      done,
      total,
      epoch: position.epoch + 1,
      epochs,
      loss: position.lossSum / position.step,
      rate,
      secondsLeft: (total - done) / rate,
    });
  };
}
