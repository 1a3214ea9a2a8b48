/** The training loop: epochs, shuffle, augmentation, validation, and a state from which it goes on with the same bits. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { expand, random } from '../augment/index.js';
import { type Batch, batchIndices, epochOrder, packBatch, requireOneSize, type Sample } from '../data/index.js';
import { ModelPredictor } from '../inference/predictor.js';
import { create as createLoss, type Loss, type LossName } from '../losses/index.js';
import { Adam } from '../optimizers/index.js';
import { DataError, InvalidArgumentError } from '../runtime/errors.js';
import type { LongCallOptions, Progress } from '../runtime/progress.js';
import { yieldToOthers } from '../runtime/yieldToOthers.js';
import { type Execution, executionOf } from './execution.js';
import {
  type BestEpoch,
  betterEpoch,
  EMPTY_HISTORY,
  type EpochScores,
  extendHistory,
  type History,
  historyDisplay,
} from './history.js';
import { logitsModel } from './logitsModel.js';
import { type Augmentation, requireCall, requireFittingState, requireSettings, type Settings } from './options.js';
import { captureState, restoreState, type TrainingPosition, type TrainingState } from './state.js';
import { createStepper, type Stepper } from './stepper.js';
import { type Scores, validateBy } from './validate.js';

/** Progress of {@link train}: `done` and `total` count steps. */
export interface TrainingProgress extends Progress {
  /** The epoch under way, counted from 1. */
  readonly epoch: number;
  /** Epochs in all. */
  readonly epochs: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  /** Steps per second since the call began. */
  readonly rate: number;
  /** Estimated seconds to the end. */
  readonly secondsLeft: number;
}

/** What {@link TrainOptions.onEpoch} receives. */
export interface EpochReport extends EpochScores {
  /** Counted from 1. */
  readonly epoch: number;
  /** The model's weights are now the best by validation Dice. */
  readonly isBest: boolean;
  /** Duration of the epoch, validation included. */
  readonly seconds: number;
}

/** Options of {@link train}. */
export interface TrainOptions extends LongCallOptions<TrainingProgress> {
  /** Default 50, as the paper. */
  readonly epochs?: number;
  /** Default 5, as the paper; the last, smaller batch of an epoch is kept. */
  readonly batchSize?: number;
  /**
   * Images that are computed at once, the last ones of a batch may be fewer: the gradients of these pieces, each counting by its images, are
   * added up to one step of the optimizer. So a batch that does not fit can be kept. The step is the whole batch's, to rounding, for
   * losses that are means over pixels (cross-entropy, focal); those over a whole batch (dice, tversky, lovasz, generalizedDice) become the mean
   * over its pieces. Batch normalisation takes the statistics of each piece, and its moving ones are moved by each. Default: `batchSize`.
   */
  readonly microBatch?: number;
  /** Of Adam. Default 1e-3. */
  readonly learningRate?: number;
  /**
   * Threads of planned steps on backend wasm, where memory can be shared (Node, Deno, Bun, cross-origin-isolated pages). The weights do
   * not depend on it. Default 1.
   */
  readonly threads?: number;
  /** A loss by name, from logits; default 'bce'. */
  readonly loss?: LossName;
  /**
   * 'none'; 'random' (default): each batch one of identity, flips and rotations; 'expand': the training part enlarged five
   * times by the paper's four transforms.
   */
  readonly augment?: Augmentation;
  /** Seed of shuffling, augmentation and such dropout as has none of its own, 0 included. Default 0. */
  readonly seed?: number;
  /** The state of an interrupted run, to go on from with the same data and options. */
  readonly state?: TrainingState;
  /** Called after each epoch, before `onState`. */
  readonly onEpoch?: (report: EpochReport) => Promise<void> | void;
  /** Called at the start, after each epoch, and where the call is aborted, with the state to go on from. */
  readonly onState?: (state: TrainingState) => Promise<void> | void;
}

/** What {@link train} returns. The model holds the weights of the last epoch. */
export interface TrainResult {
  /** Shows itself as curves in a Jupyter cell once `pyconvunet/notebook` is imported. */
  readonly history: History;
  readonly best: BestEpoch | null;
  /** How the steps of this call were taken; null where there were none left. */
  readonly execution: Execution | null;
}

/** Training and validation samples of one size. */
export interface TrainingData {
  readonly training: readonly Sample[];
  readonly validation: readonly Sample[];
}

type Position = Omit<TrainingPosition, 'optimizerSteps' | 'dropoutCalls'>;

const START: Position = { epoch: 0, step: 0, lossSum: 0, history: EMPTY_HISTORY, best: null };

function checkData({ training, validation }: TrainingData): void {
  if (training.length === 0 || validation.length === 0) {
    throw new DataError(
      `Training needs at least one sample in each part. Received: ${training.length} for training, ${validation.length} for validation. Give more images, or another share for validation.`,
    );
  }
  const samples = [...training, ...validation];
  // Images of phantom or of files, with their pixels as they were decoded, have the same keys.
  const isPrepared = ({ image, mask }: Sample) => image instanceof Float32Array && mask instanceof Uint8Array;
  if (!samples.every(isPrepared)) {
    throw new DataError(
      'Training takes prepared samples. Received: images as they were decoded or drawn. Pass them through prepareSamples: const { samples } = prepareSamples(images).',
    );
  }
  requireOneSize(samples);
}

/** One run under way: where it stands, and what it takes a step with. */
class Run {
  private position: Position;
  private readonly network: tfl.LayersModel;
  private readonly loss: Loss;
  private readonly training: readonly Sample[];
  private readonly report: (position: Position) => void;
  /** Kept from one validation to the next. */
  private readonly predictor: ModelPredictor;
  private stepper: Stepper | undefined;
  private execution: Execution | null = null;

  constructor(
    private readonly model: tfl.LayersModel,
    private readonly data: TrainingData,
    private readonly optimizer: Adam,
    private readonly settings: Settings,
    private readonly options: TrainOptions,
  ) {
    this.position = options.state ?? START;
    this.network = logitsModel(model);
    this.predictor = new ModelPredictor(this.network, settings.threads);
    this.loss = createLoss(options.loss ?? 'bce', { fromLogits: true });
    this.training = settings.augment === 'expand' ? expand(data.training) : data.training;
    const stepsPerEpoch = Math.ceil(this.training.length / settings.batchSize);
    if (options.state !== undefined) {
      requireFittingState(options.state, { epochs: settings.epochs, stepsPerEpoch });
    }
    this.report = progressReporter(this.position, stepsPerEpoch, settings, options);
  }

  async toEnd(): Promise<TrainResult> {
    if (this.options.state === undefined) await this.save();
    else restoreState(this.model, this.optimizer, this.options.state);
    try {
      while (this.position.epoch < this.settings.epochs) await this.epoch();
    } finally {
      this.end();
    }
    const { history, best } = this.position;
    return { history: historyDisplay.attach({ ...history }), best, execution: this.execution };
  }

  /** However it ends, the model holds what was trained, and no thread stays. */
  private end(): void {
    try {
      this.stepper?.flush();
    } finally {
      // A thread may have been lost in any step.
      if (this.stepper !== undefined) this.execution = executionOf(this.stepper, this.settings.threads);
      this.stepper?.dispose();
      this.predictor.dispose();
    }
  }

  private async epoch(): Promise<void> {
    const { batchSize, seed } = this.settings;
    const started = performance.now();
    const epoch = this.position.epoch + 1;
    const batches = batchIndices(epochOrder(this.training.length, { seed, epoch }), batchSize);
    // A resumed epoch begins at the step where it stopped; after its last one, with the validation.
    for (const indices of batches.slice(this.position.step)) {
      await this.stopIfAborted();
      await this.step(indices, epoch);
    }
    const scores = await this.score();
    const best = betterEpoch(this.position.best, { epoch, meanIoU: scores.valMeanIoU, dice: scores.valDice });
    this.position = { epoch, step: 0, lossSum: 0, history: extendHistory(this.position.history, scores), best };
    const seconds = (performance.now() - started) / 1000;
    await this.options.onEpoch?.({ ...scores, epoch, isBest: best.epoch === epoch, seconds });
    await this.save();
  }

  private async step(indices: readonly number[], epoch: number): Promise<void> {
    const { augment, seed } = this.settings;
    const { step, lossSum } = this.position;
    const samples = indices.flatMap((index) => this.training[index] ?? []);
    const batch = packBatch(augment === 'random' ? random(samples, { seed, epoch, step }) : samples);
    const value = await this.stepperFor(batch).step(batch);
    if (!Number.isFinite(value)) throw this.diverged(step, value);
    this.position = { ...this.position, step: step + 1, lossSum: lossSum + value };
    this.report(this.position);
    await yieldToOthers();
  }

  /** Made for the first batch, behind a restored state. */
  private stepperFor({ height, width, channels }: Batch): Stepper {
    const { batchSize, threads, microBatch, seed } = this.settings;
    this.stepper ??= createStepper(this.network, this.loss, this.optimizer, {
      ...{ batchSize, microBatch, samples: this.training.length },
      ...{ height, width, channels, threads, seed },
    });
    return this.stepper;
  }

  /** The weights are lost then, so that no state is saved: the one before stays. */
  private diverged(step: number, loss: number): InvalidArgumentError {
    return new InvalidArgumentError(
      `Training diverged: the loss is ${loss} in step ${step + 1} of epoch ${this.position.epoch + 1}. Lower the learning rate (${this.settings.learningRate} here), or look for values in the images that are not finite.`,
    );
  }

  private async stopIfAborted(): Promise<void> {
    const { signal } = this.options;
    if (!signal?.aborted) return;
    await this.save();
    signal.throwIfAborted();
  }

  private async score(): Promise<EpochScores> {
    this.stepper?.flush();
    const { loss, matrix } = await this.validation();
    return {
      loss: this.position.lossSum / this.position.step,
      valLoss: loss,
      valMeanIoU: matrix.result({ classes: 'all' }).meanIoU ?? Number.NaN,
      valDice: matrix.result({ classes: 'foreground' }).dice ?? Number.NaN,
    };
  }

  /** Loss and counts on the validation part; an abort meanwhile keeps the epoch's steps. */
  private async validation(): Promise<Scores> {
    const { signal } = this.options;
    try {
      return await validateBy(this.predictor, this.data.validation, {
        loss: this.loss,
        batchSize: this.settings.batchSize,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (error === signal?.reason) await this.stopIfAborted();
      throw error;
    }
  }

  private async save(): Promise<void> {
    this.stepper?.flush();
    await this.options.onState?.(await captureState(this.model, this.optimizer, this.position));
  }
}

/** Reports progress; the rate counts from now on. */
function progressReporter(start: Position, stepsPerEpoch: number, { epochs }: Settings, { onProgress }: TrainOptions) {
  const total = epochs * stepsPerEpoch;
  const finished = ({ epoch, step }: Position) => epoch * stepsPerEpoch + step;
  const already = finished(start);
  const began = performance.now();
  return (position: Position): void => {
    const done = finished(position);
    const rate = (done - already) / ((performance.now() - began) / 1000);
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

/**
 * Trains a network: Adam on the loss of the logits, the paper's recipe by default. Shuffling, augmentation and dropout
 * follow from the seed, the epoch and the step, so that a run that is resumed from its state ends with the same bits on
 * backends that compute in one order (cpu, wasm with any number of threads).
 *
 * @param model A network of this package (or any model with a layer named `logits`); trained in place.
 * @param data Training and validation samples of one size.
 * @param options See {@link TrainOptions}.
 * @returns History and best epoch; the weights of the best epoch are the model's when `onEpoch` says `isBest`.
 * @throws DataError where samples differ in size or a part is empty; InvalidArgumentError for an illegal option, a state of
 *   other steps than this run's, and where a loss is not finite (the last state is the last good one then);
 *   `signal.reason` where aborted, after `onState`.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 * import { phantom, prepareSamples, train } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 3, size: 32 }));
 * const model = models.uNet({ widths: [4, 8], inputShape: [32, 32, 1], seed: 1 });
 * const data = { training: samples.slice(0, 2), validation: samples.slice(2) };
 * const { history } = await train(model, data, { epochs: 2 });
 * console.log(history.loss.length); // 2
 * ```
 */
export async function train(
  model: tfl.LayersModel,
  data: TrainingData,
  options: TrainOptions = {},
): Promise<TrainResult> {
  requireCall(data, options);
  const { epochs = 50, batchSize = 5, augment = 'random', seed = 0, learningRate = 1e-3, threads = 1 } = options;
  const { microBatch = batchSize } = options;
  const settings = { epochs, batchSize, microBatch, learningRate, augment, seed, threads };
  requireSettings(settings);
  checkData(data);
  const optimizer = new Adam({ learningRate });
  try {
    return await new Run(model, data, optimizer, settings, options).toEnd();
  } finally {
    optimizer.dispose();
  }
}
