/** The whole state of a training run as plain values: enough to go on with the same bits. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { Dropout } from '../layers/dropout.js';
import type { Adam } from '../optimizers/index.js';
import { DataError } from '../runtime/errors.js';
import { assign } from './assign.js';
import type { BestEpoch, History } from './history.js';

/** The values of one tensor. */
export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Where a run stands, without its tensors. */
export interface TrainingPosition {
  /** Finished epochs. */
  readonly epoch: number;
  /** Finished steps of the epoch under way. */
  readonly step: number;
  /** Sum of the losses of these steps. */
  readonly lossSum: number;
  readonly history: History;
  readonly best: BestEpoch | null;
  /** Steps that the optimizer has taken. */
  readonly optimizerSteps: number;
  /** Masks that each dropout layer has drawn. Shuffling and augmentation follow from seed, epoch and step alone. */
  readonly dropoutCalls: Readonly<Record<string, number>>;
}

/** A position with the weights and the optimizer's moments. */
export interface TrainingState extends TrainingPosition {
  readonly tensors: readonly StateTensor[];
}

const dropoutLayers = (model: tfl.LayersModel): Dropout[] =>
  model.layers.filter((layer): layer is Dropout => layer instanceof Dropout);

async function read(name: string, tensor: tf.Tensor): Promise<StateTensor> {
  return { name, shape: tensor.shape, data: Float32Array.from(await tensor.data()) };
}

/** Names in a state are those that the layers gave; tfjs's own names depend on what else the process has made. */
const stableNames = (model: tfl.LayersModel): Map<string, string> =>
  new Map(model.weights.map((weight) => [weight.name, weight.originalName]));

/** Takes a copy of the weights, the optimizer's moments and the dropout counters. */
export async function captureState(
  model: tfl.LayersModel,
  optimizer: Adam,
  position: Omit<TrainingPosition, 'optimizerSteps' | 'dropoutCalls'>,
): Promise<TrainingState> {
  const names = stableNames(model);
  const weights = await Promise.all(
    model.weights.map((weight) => read(`weight/${weight.originalName}`, weight.read())),
  );
  const moments = await Promise.all(
    optimizer
      .momentTensors()
      .map(({ variable, kind, tensor }) => read(`${kind}/${names.get(variable) ?? variable}`, tensor)),
  );
  return {
    ...position,
    optimizerSteps: optimizer.iterations,
    dropoutCalls: Object.fromEntries(dropoutLayers(model).map((layer) => [layer.name, layer.calls])),
    tensors: [...weights, ...moments],
  };
}

/**
 * Puts a captured state back.
 *
 * @throws DataError where the state belongs to another model.
 */
export function restoreState(model: tfl.LayersModel, optimizer: Adam, state: TrainingState): void {
  const tensors = new Map(state.tensors.map((tensor) => [tensor.name, tensor]));
  const find = (name: string, shape: readonly number[]): StateTensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined || !tf.util.arraysEqual([...tensor.shape], [...shape])) {
      const received = tensor === undefined ? 'nothing' : `the shape [${tensor.shape.join(', ')}]`;
      throw new DataError(
        `The checkpoint does not fit the model: ${name} needs the shape [${shape.join(', ')}]. Received: ${received}. Resume with the model that wrote it.`,
      );
    }
    return tensor;
  };
  tf.tidy(() => {
    for (const weight of model.weights) {
      const { data } = find(`weight/${weight.originalName}`, weight.shape as number[]);
      assign(weight, tf.tensor(data, weight.shape as number[]));
    }
    if (state.optimizerSteps > 0) {
      const moments = model.trainableWeights.map((weight) => {
        const shape = weight.shape as number[];
        const moment = (kind: string) => tf.tensor(find(`${kind}/${weight.originalName}`, shape).data, shape);
        return { variable: weight.name, mean: moment('mean'), square: moment('square') };
      });
      optimizer.restore(state.optimizerSteps, moments);
    }
  });
  for (const layer of dropoutLayers(model)) layer.calls = state.dropoutCalls[layer.name] ?? 0;
}
