/** Sums over the pixels of a map, and the overlaps that Dice and its relatives are made of. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * Sums over pixels, axis by axis from the innermost: some backends add float32 numbers one after the other, and over a
 * batch of 512x512 maps in one go the rounding would reach the gradient.
 *
 * @param x [N, ..., C].
 * @returns [1, C] over the batch, or [N, C] per image.
 */
export function sumPixels(x: tf.Tensor, aggregation: 'batch' | 'image'): tf.Tensor2D {
  let sums = x;
  for (let axis = x.rank - 2; axis >= 1; axis--) sums = tf.sum(sums, axis);
  return (aggregation === 'batch' ? tf.sum(sums, 0, true) : sums) as tf.Tensor2D;
}

/** The mean over every element, summed axis by axis as above. */
export function meanOf(x: tf.Tensor): tf.Scalar {
  return tf.div(tf.sum(sumPixels(x, 'image')), x.size) as tf.Scalar;
}

/** Sums per image or batch and class, each [1 or N, C]. */
export interface Overlap {
  /** Sum of truth times probability: the soft true positives. */
  readonly intersection: tf.Tensor2D;
  /** Sum of the truth. */
  readonly truth: tf.Tensor2D;
  /** Sum of the probabilities. */
  readonly predicted: tf.Tensor2D;
}

/** The soft overlap of the truth and the probabilities, both [N, ..., C]. */
export function softOverlap(truth: tf.Tensor, p: tf.Tensor, aggregation: 'batch' | 'image'): Overlap {
  return {
    intersection: sumPixels(tf.mul(truth, p), aggregation),
    truth: sumPixels(truth, aggregation),
    predicted: sumPixels(p, aggregation),
  };
}

/** Leaves out class 0 of a map with several channels. */
export function withoutBackground(x: tf.Tensor, includeBackground: boolean): tf.Tensor {
  const channels = x.shape[x.rank - 1];
  if (includeBackground || channels === 1) return x;
  const begin = x.shape.map((_, axis) => (axis === x.rank - 1 ? 1 : 0));
  return tf.slice(x, begin);
}
