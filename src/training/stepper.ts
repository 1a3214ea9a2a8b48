/** How training takes its steps: planned on backend wasm, else operation by operation. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Batch } from '../data/index.js';
import type { Loss } from '../losses/index.js';
import type { Adam } from '../optimizers/index.js';
import { type Penalty, readWeights, TrainingPlan, UnplannableError, weightIdentities } from '../plan/index.js';
import { findProvider } from '../runtime/providers.js';
import { headLoss, trainStep } from './step.js';

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
}

class OpByOpStepper implements Stepper {
  readonly bytes = null;

  constructor(
    private readonly network: tfl.LayersModel,
    private readonly loss: Loss,
    private readonly optimizer: Adam,
    readonly reason: string,
  ) {}

  async step(batch: Batch): Promise<number> {
    const loss = trainStep(this.network, this.loss, this.optimizer, batch);
    const [value = Number.NaN] = await loss.data();
    loss.dispose();
    return value;
  }

  flush(): void {}

  dispose(): void {}
}

/** Weights and moments live in the plan between flushes; what the model's variables got meanwhile from others is taken over. */
class PlannedStepper implements Stepper {
  readonly reason = null;
  /** What stood for the values of the variables when they last agreed with the plan. */
  private known: readonly object[] = [];
  private isAhead = false;

  constructor(
    private readonly network: tfl.LayersModel,
    private readonly loss: Loss,
    private readonly optimizer: Adam,
    private readonly plan: TrainingPlan,
  ) {}

  get bytes(): number {
    return this.plan.bytes;
  }

  async step({ count, height, width, channels, images, masks }: Batch): Promise<number> {
    if (!this.agrees()) await this.load();
    const outputs = this.plan.forward(images, count, [height, width, channels]);
    const { value, gradients } = tf.tidy(() => {
      const yTrue = tf.tensor4d(Float32Array.from(masks), [count, height, width, 1]);
      const heads = outputs.map(({ data, shape }) => tf.tensor4d(data.slice(), [count, ...shape]));
      const { value: loss, grads } = tf.valueAndGrads((...maps: tf.Tensor[]) => headLoss(this.loss, yTrue, maps))(
        heads,
      );
      return {
        value: loss.dataSync<'float32'>()[0] ?? Number.NaN,
        gradients: grads.map((gradient) => gradient.dataSync<'float32'>()),
      };
    });
    this.plan.backward(gradients);
    this.plan.adam(this.optimizer.advance());
    this.isAhead = true;
    return value;
  }

  flush(): void {
    if (!this.isAhead) return;
    const { plan, network, optimizer } = this;
    tf.tidy(() => {
      const tensor = (variable: tfl.LayerVariable, values: Float32Array) =>
        tf.tensor(values, variable.shape as number[]);
      for (const [variable, values] of plan.weights()) variable.write(tensor(variable, values));
      const squares = plan.state('square');
      const moments = [...plan.state('mean')].map(([variable, mean]) => ({
        variable: variable.name,
        mean: tensor(variable, mean),
        square: tensor(variable, squares.get(variable) ?? mean),
      }));
      optimizer.restore(optimizer.iterations, moments);
    });
    this.known = weightIdentities(network);
    this.isAhead = false;
  }

  dispose(): void {
    this.plan.dispose();
  }

  private agrees(): boolean {
    const now = weightIdentities(this.network);
    return now.length === this.known.length && now.every((id, i) => id === this.known[i]);
  }

  private async load(): Promise<void> {
    const { plan, network, optimizer } = this;
    plan.load(await readWeights(network));
    const byName = new Map(network.trainableWeights.map((variable) => [variable.name, variable]));
    const moments = {
      mean: new Map<tfl.LayerVariable, Float32Array>(),
      square: new Map<tfl.LayerVariable, Float32Array>(),
    };
    for (const { variable: name, kind, tensor } of optimizer.momentTensors()) {
      const variable = byName.get(name);
      if (variable !== undefined) moments[kind].set(variable, Float32Array.from(await tensor.data()));
    }
    plan.loadMoments(moments.mean, moments.square);
    this.known = weightIdentities(network);
  }
}

/** A layer's settings as far as the plan has to know them. */
interface Regularization {
  readonly className?: unknown;
  readonly config?: { readonly l1?: unknown; readonly l2?: unknown };
}

function penaltyOf(value: unknown): Penalty | null {
  const { className, config } = (value ?? {}) as Regularization;
  if (className !== 'L1L2') return null;
  return { l1: Number(config?.l1 ?? 0), l2: Number(config?.l2 ?? 0) };
}

/** The penalties of all weights. */
function penaltiesOf(network: tfl.LayersModel): Map<tfl.LayerVariable, Penalty> {
  const penalties = new Map<tfl.LayerVariable, Penalty>();
  for (const layer of network.layers) {
    const config = layer.getConfig();
    for (const variable of layer.trainableWeights) {
      const kind = variable.shape.length > 1 ? 'kernel' : 'bias';
      const penalty = penaltyOf(config[`${kind}Regularizer`]);
      if (penalty !== null) penalties.set(variable, penalty);
    }
  }
  return penalties;
}

/** Settings of a layer that a plan does not follow. */
function checkPlannable(network: tfl.LayersModel, penalties: number): void {
  const { length } = network.calculateLosses();
  if (length !== penalties) {
    throw new UnplannableError(`${length - penalties} of its regularizers are not known to the plan`);
  }
  for (const layer of network.layers) {
    const config = layer.getConfig();
    for (const [key, value] of Object.entries(config)) {
      if (key.endsWith('Constraint') && value !== null && value !== undefined) {
        throw new UnplannableError(`layer '${layer.name}' has a ${key}`);
      }
    }
    if (layer.getClassName().endsWith('Dropout') && Number(config.rate) > 0) {
      throw new UnplannableError(`layer '${layer.name}' draws masks of dropout`);
    }
  }
}

/** Why the steps of a network cannot be planned here, as far as its layers' settings tell; null where they can. */
export function whyNotPlanned(network: tfl.LayersModel): string | null {
  const backend = tf.getBackend();
  if (backend !== 'wasm') return `backend ${backend} runs the model itself`;
  if (findProvider('wasm')?.kernels === undefined) return "the import of 'pyconvunet/wasm' is missing";
  try {
    tf.tidy(() => checkPlannable(network, penaltiesOf(network).size));
    return null;
  } catch (error) {
    if (error instanceof UnplannableError) return error.message;
    throw error;
  }
}

/** What takes the steps of a network that ends in its logits. */
export function createStepper(network: tfl.LayersModel, loss: Loss, optimizer: Adam, size: StepShape): Stepper {
  const opByOp = (reason: string) => new OpByOpStepper(network, loss, optimizer, reason);
  const reason = whyNotPlanned(network);
  const kernels = findProvider('wasm')?.kernels;
  if (reason !== null || kernels === undefined) return opByOp(reason ?? 'there are no kernels');
  try {
    const plan = new TrainingPlan(network, kernels, penaltiesOf(network), size.threads);
    plan.stepsFor(size.batchSize, [size.height, size.width, size.channels]);
    return new PlannedStepper(network, loss, optimizer, plan);
  } catch (error) {
    if (error instanceof UnplannableError) return opByOp(error.message);
    throw error;
  }
}

/** The size of the first batch. */
export interface StepShape {
  readonly batchSize: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly threads: number;
}
