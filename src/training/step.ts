/** One training step: loss from logits, gradients, update. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Batch } from '../data/index.js';
import type { Loss } from '../losses/index.js';

/** Images [n, h, w, c] and masks [n, h, w, 1] of a batch. To be called within a tidy. */
export function batchTensors({ count, height, width, channels, images, masks }: Batch): {
  x: tf.Tensor4D;
  yTrue: tf.Tensor4D;
} {
  return {
    x: tf.tensor4d(images, [count, height, width, channels]),
    yTrue: tf.tensor4d(Float32Array.from(masks), [count, height, width, 1]),
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

/**
 * Takes one optimizer step on a batch.
 *
 * @param logitsModel The network that ends in its logits.
 * @returns The loss before the step, without regularization.
 */
export function trainStep(logitsModel: tfl.LayersModel, loss: Loss, optimizer: tf.Optimizer, batch: Batch): tf.Scalar {
  return tf.tidy(() => {
    const { x, yTrue } = batchTensors(batch);
    const variables = logitsModel.trainableWeights.map((weight) => weight.read() as tf.Variable);
    let dataLoss: tf.Scalar | undefined;
    const objective = () => {
      dataLoss = tf.keep(headLoss(loss, yTrue, applyLogits(logitsModel, x, { training: true })));
      const penalties = logitsModel.calculateLosses();
      return penalties.length === 0 ? dataLoss : tf.add<tf.Scalar>(dataLoss, tf.addN(penalties));
    };
    const { value, grads } = tf.variableGrads(objective, variables);
    optimizer.applyGradients(grads);
    // Writing a weight applies its constraint (Keras's kernelConstraint), which tfjs's own training forgets.
    for (const weight of logitsModel.trainableWeights) weight.write(tf.clone(weight.read()));
    const kept = dataLoss;
    const result = kept === undefined ? value : tf.clone(kept);
    kept?.dispose();
    return result;
  });
}
