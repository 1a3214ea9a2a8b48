/** One training step: loss from logits, gradients, update. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Batch } from '../data/index.js';
import type { Loss } from '../losses/index.js';
import { type MicroBatch, microBatches } from './microBatches.js';

/** Images [n, h, w, c] and masks [n, h, w, 1] of a batch. To be called within a tidy. */
export function batchTensors({ count, height, width, channels, images, masks }: Batch): {
  x: tf.Tensor4D;
  yTrue: tf.Tensor4D;
} {
  return {
    x: tf.tensor4d(images, [count, height, width, channels]),
    yTrue: tf.tensor4d(new Float32Array(masks), [count, height, width, 1]),
  };
}

/** The heads' logits; more than one with deep supervision. To be called within a tidy. */
export function applyLogits(
  logitsModel: tfl.LayersModel,
  x: tf.Tensor4D,
  { training }: { training: boolean },
): tf.Tensor[] {
  const heads = logitsModel.apply(x, { training });
  return (Array.isArray(heads) ? heads : [heads]) as tf.Tensor[];
}

/** Mean of the loss over the heads (one without deep supervision). */
export function headLoss(loss: Loss, yTrue: tf.Tensor, heads: readonly tf.Tensor[]): tf.Scalar {
  const losses = heads.map((head) => loss(yTrue, head));
  return tf.div<tf.Scalar>(tf.addN(losses), losses.length);
}

/** The loss of a piece of a batch, as it counts in the batch, and the gradients of the weights. */
function differentiate(
  logitsModel: tfl.LayersModel,
  loss: Loss,
  { piece, share }: MicroBatch,
  { withPenalties }: { readonly withPenalties: boolean },
): { value: tf.Scalar; grads: tf.NamedTensorMap } {
  return tf.tidy(() => {
    const { x, yTrue } = batchTensors(piece);
    const variables = logitsModel.trainableWeights.map((weight) => weight.read() as tf.Variable);
    let dataLoss: tf.Scalar | undefined;
    const objective = () => {
      const value = headLoss(loss, yTrue, applyLogits(logitsModel, x, { training: true }));
      dataLoss = tf.keep(tf.mul<tf.Scalar>(value, share));
      const penalties = withPenalties ? logitsModel.calculateLosses() : [];
      return penalties.length === 0 ? dataLoss : tf.add<tf.Scalar>(dataLoss, tf.addN(penalties));
    };
    try {
      const { value, grads } = tf.variableGrads(objective, variables);
      return { value: dataLoss === undefined ? value : tf.clone(dataLoss), grads };
    } finally {
      dataLoss?.dispose();
    }
  });
}

/** Sums of gradients, by the names of their variables. */
function addGradients(a: tf.NamedTensorMap, b: tf.NamedTensorMap): tf.NamedTensorMap {
  const sums = { ...a };
  for (const [name, gradient] of Object.entries(b)) {
    const sum = sums[name];
    sums[name] = sum === undefined ? gradient : tf.add(sum, gradient);
    if (sum !== undefined) tf.dispose([sum, gradient]);
  }
  return sums;
}

/**
 * Takes one optimizer step on a batch.
 *
 * @param logitsModel The network that ends in its logits.
 * @param microBatch Images that are computed at once; their gradients are added up, each piece counting by its images.
 * @returns The loss before the step, without regularization.
 */
export function trainStep(
  logitsModel: tfl.LayersModel,
  loss: Loss,
  optimizer: tf.Optimizer,
  batch: Batch,
  microBatch = batch.count,
): tf.Scalar {
  return tf.tidy(() => {
    let grads: tf.NamedTensorMap = {};
    const values: tf.Scalar[] = [];
    for (const [i, part] of microBatches(batch, microBatch).entries()) {
      const result = differentiate(logitsModel, loss, part, { withPenalties: i === 0 });
      grads = addGradients(grads, result.grads);
      values.push(result.value);
    }
    optimizer.applyGradients(grads);
    // Writing a weight applies its constraint (Keras's kernelConstraint), which tfjs's own training forgets.
    for (const weight of logitsModel.trainableWeights) weight.write(tf.clone(weight.read()));
    return tf.addN(values);
  });
}
