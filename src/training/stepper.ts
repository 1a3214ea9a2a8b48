/** How training takes its steps: planned on backend wasm, else operation by operation. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Batch } from '../data/index.js';
import type { Loss } from '../losses/index.js';
import type { Adam } from '../optimizers/index.js';
import { constraintOf, TrainingPlan, UnplannableError } from '../plan/index.js';
import { findProvider } from '../runtime/providers.js';
import { type BatchSizes, pieceSizes } from './microBatches.js';
import { penaltiesOf } from './penalties.js';
import { PlannedStepper } from './plannedStepper.js';
import { trainStep } from './step.js';

/** Takes optimizer steps on a model. */
export interface Stepper {
  /** Takes a step and returns the loss before it, without regularization. */
  step(batch: Batch): Promise<number>;
  /** Brings the model's weights and the optimizer's moments up to date. */
  flush(): void;
  /** Ends the plan's threads. */
  dispose(): void;
  /** Why the steps are not planned, or null where they are. */
  readonly reason: string | null;
  /** Bytes of the plan's memory, or null without a plan. */
  readonly bytes: number | null;
  /** Why fewer threads compute than were asked for, or null as long as nothing went wrong. */
  readonly threadProblem: string | null;
}

/** The sizes of batches, and how steps are taken. */
export interface StepShape extends BatchSizes {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly threads: number;
  /** Of dropout that has no seed of its own. Default 0. */
  readonly seed?: number;
}

class OpByOpStepper implements Stepper {
  readonly bytes = null;
  readonly threadProblem = null;

  constructor(
    private readonly network: tfl.LayersModel,
    private readonly loss: Loss,
    private readonly optimizer: Adam,
    private readonly microBatch: number,
    readonly reason: string,
  ) {}

  async step(batch: Batch): Promise<number> {
    const loss = trainStep(this.network, this.loss, this.optimizer, batch, this.microBatch);
    const [value = Number.NaN] = await loss.data();
    loss.dispose();
    return value;
  }

  flush(): void {}

  dispose(): void {}
}

/** Why the steps of a network cannot be planned here, as far as its layers' settings tell; null where they can. */
export function whyNotPlanned(network: tfl.LayersModel): string | null {
  const backend = tf.getBackend();
  if (backend !== 'wasm') return `backend ${backend} runs the model itself`;
  if (findProvider('wasm')?.kernels === undefined) return "the import of 'pyconvunet/wasm' is missing";
  try {
    penaltiesOf(network);
    for (const weight of network.trainableWeights) constraintOf(weight);
    return null;
  } catch (error) {
    if (error instanceof UnplannableError) return error.message;
    throw error;
  }
}

/** What takes the steps of a network that ends in its logits. */
export function createStepper(network: tfl.LayersModel, loss: Loss, optimizer: Adam, shape: StepShape): Stepper {
  const { height, width, channels, threads, microBatch = Number.POSITIVE_INFINITY, seed = 0 } = shape;
  const opByOp = (reason: string) => new OpByOpStepper(network, loss, optimizer, microBatch, reason);
  const reason = whyNotPlanned(network);
  const kernels = findProvider('wasm')?.kernels;
  if (reason !== null || kernels === undefined) return opByOp(reason ?? 'there are no kernels');
  const penalties = penaltiesOf(network);
  const plan = new TrainingPlan(network, kernels, { penalties, threads });
  try {
    plan.prepare(pieceSizes(shape), [height, width, channels]);
    return new PlannedStepper(network, loss, optimizer, plan, { microBatch, seed });
  } catch (error) {
    plan.dispose();
    if (error instanceof UnplannableError) return opByOp(error.message);
    throw error;
  }
}
