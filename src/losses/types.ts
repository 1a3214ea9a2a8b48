/** What every loss is and what every loss takes. */
import type * as tf from '@tensorflow/tfjs-core';

/**
 * A loss as `model.compile({loss})` takes it.
 *
 * `yPred` is [N, H, W, C] (any rank from 2 on, channels last): C = 1 is binary (sigmoid), C > 1 are exclusive classes
 * (softmax). `yTrue` has the same shape (0 and 1, or one-hot); for C > 1 its last axis may be 1 and hold labels 0..C-1.
 * Returns a scalar; the name of the function is the loss's name.
 */
export type Loss = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Scalar;

/** Options that every loss takes. */
export interface LossOptions {
  /**
   * Whether `yPred` holds logits, as a network with `head: 'logits'` gives them. Default false: probabilities, as Keras.
   * Train from logits: a probability that is saturated in float32 has no gradient any more.
   */
  readonly fromLogits?: boolean;
  /** Channels that `yPred` must have; default: whatever it has. */
  readonly numClasses?: number;
}

/** Over what a loss made of sums (Dice and its relatives) adds up before it divides. */
export interface AggregationOptions {
  /**
   * 'batch' (default): one ratio per class over all images of the batch, so that an image without foreground does not
   * pull alone; 'image': a ratio per image, then their mean.
   */
  readonly aggregation?: 'batch' | 'image';
}

/** Which classes a multi-class loss counts. */
export interface BackgroundOptions {
  /** Whether class 0 counts where there is more than one channel. Default true. */
  readonly includeBackground?: boolean;
}
