/** The Lovász extension of the Jaccard loss, with its gradient. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * The weight of each error: how much the Jaccard loss grows when that pixel joins those with larger errors.
 * In closed form, not as differences of neighbouring ratios, which cancel in float32 on large maps.
 */
function jaccardWeights(errors: tf.Tensor1D, truth: tf.Tensor1D): tf.Tensor1D {
  const n = errors.size;
  const { indices } = tf.topk(errors, n, true);
  const sortedTruth = tf.gather(truth, indices);
  const total = tf.sum(truth);
  const intersection = tf.sub(total, tf.cumsum(sortedTruth));
  const union = tf.add(total, tf.cumsum(tf.sub(1, sortedTruth)));
  // A missed pixel takes one from the intersection; a false one adds one to the union.
  const missed = tf.div(sortedTruth, union);
  const smallerUnion = tf.maximum(tf.sub(union, 1), 1);
  const added = tf.div(tf.mul(tf.sub(1, sortedTruth), intersection), tf.mul(union, smallerUnion));
  // Without any foreground the loss is 1 as soon as one pixel is false: the largest error carries it all.
  const first = tf.cast(tf.equal(tf.range(0, n, 1, 'float32'), 0), 'float32');
  const empty = tf.mul(first, tf.cast(tf.equal(total, 0), 'float32'));
  const weights = tf.add(tf.add(missed, added), empty);
  return tf.scatterND(tf.reshape(indices, [n, 1]), weights, [n]) as tf.Tensor1D;
}

/** Runs ops as one node without inputs, so that the tape sees their result as a constant. */
function offTape(compute: () => tf.Tensor): tf.Tensor {
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))();
}

/**
 * The Lovász extension of the Jaccard loss (Berman et al. 2018, eq. 9) at a vector of errors.
 *
 * It is linear in the errors while their order stays, so its gradient is the weights themselves: they are computed off
 * the tape (the gradients of sorting and gathering need kernels that not every backend has).
 *
 * @param errors One error per pixel, not negative, [n].
 * @param truth 0 and 1, [n].
 * @returns A scalar.
 */
export function lovaszExtension(errors: tf.Tensor1D, truth: tf.Tensor1D): tf.Scalar {
  const weights = offTape(() => jaccardWeights(errors, truth));
  return tf.sum(tf.mul(errors, weights));
}
