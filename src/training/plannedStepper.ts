/** Training steps taken by a plan. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Batch } from '../data/index.js';
import type { Loss } from '../losses/index.js';
import type { Adam } from '../optimizers/index.js';
import { type DrawMask, type OutputMap, readWeights, type TrainingPlan, weightIdentities } from '../plan/index.js';
import { assign } from './assign.js';
import { dropoutMasks, type PassPosition } from './dropoutMasks.js';
import { type MicroBatch, microBatches } from './microBatches.js';
import { headLoss } from './step.js';
import type { Stepper } from './stepper.js';

/** How a plan is used. */
export interface PlannedSettings {
  /** Images that are computed at once. */
  readonly microBatch: number;
  /** Of dropout that has no seed of its own. */
  readonly seed: number;
}

/** Weights and moments live in the plan between flushes; what the model's variables got meanwhile from others is taken over. */
export class PlannedStepper implements Stepper {
  readonly reason = null;
  /** What stood for the values of the variables when they last agreed with the plan. */
  private known: readonly object[] = [];
  private isAhead = false;
  private readonly masks: (position: PassPosition) => DrawMask;

  constructor(
    private readonly network: tfl.LayersModel,
    private readonly loss: Loss,
    private readonly optimizer: Adam,
    private readonly plan: TrainingPlan,
    private readonly settings: PlannedSettings,
  ) {
    this.masks = dropoutMasks(network, settings.seed);
  }

  get bytes(): number {
    return this.plan.bytes;
  }

  get threadProblem(): string | null {
    return this.plan.threadProblem;
  }

  async step(batch: Batch): Promise<number> {
    if (!this.agrees()) await this.load();
    const { iterations: step } = this.optimizer;
    let value = 0;
    for (const [i, part] of microBatches(batch, this.settings.microBatch).entries()) {
      const { piece } = part;
      const shape = [piece.height, piece.width, piece.channels] as const;
      const outputs = this.plan.forward(piece.images, piece.count, shape, this.masks({ step, piece: i }));
      const { value: share, gradients } = this.differentiate(outputs, part);
      this.plan.backward(gradients, { accumulate: i > 0 });
      value += share;
    }
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
      for (const [variable, values] of plan.weights()) assign(variable, tensor(variable, values));
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

  /** The loss of a piece, as it counts in its batch, and its gradients by the outputs. */
  private differentiate(
    outputs: readonly OutputMap[],
    { piece: { count, height, width, masks }, share }: MicroBatch,
  ): { value: number; gradients: Float32Array[] } {
    const { value, grads } = tf.tidy(() => {
      const yTrue = tf.tensor4d(new Float32Array(masks), [count, height, width, 1]);
      const heads = outputs.map(({ data, shape }) => tf.tensor4d(data.slice(), [count, ...shape]));
      const objective = (...maps: tf.Tensor[]) => tf.mul<tf.Scalar>(headLoss(this.loss, yTrue, maps), share);
      return tf.valueAndGrads(objective)(heads);
    });
    // Read behind the tidy, which would look for tensors in every element of an array that it returns.
    try {
      return {
        value: value.dataSync<'float32'>()[0] ?? Number.NaN,
        gradients: grads.map((gradient) => gradient.dataSync<'float32'>()),
      };
    } finally {
      tf.dispose([value, grads]);
    }
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
