/** The Lovász losses: hinge for binary logits, softmax (and sigmoid) for probabilities. */
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions, namedLoss, targetsLike } from './arguments.js';
import { lovaszExtension } from './lovaszExtension.js';
import { probabilities } from './probabilities.js';
import type { AggregationOptions, Loss, LossOptions } from './types.js';

/** Options of the Lovász loss. */
export interface LovaszOptions extends LossOptions, AggregationOptions {}

/** One vector of pixels and one of truths per class. */
function column(x: tf.Tensor, channel: number): tf.Tensor1D {
  const begin = x.shape.map((_, axis) => (axis === x.rank - 1 ? channel : 0));
  const size = x.shape.map((length, axis) => (axis === x.rank - 1 ? 1 : length));
  const slice = tf.slice(x, begin, size);
  return tf.reshape(slice, [slice.size]);
}

function oneImage(x: tf.Tensor, image: number): tf.Tensor {
  return tf.slice(x, [image, ...x.shape.slice(1).map(() => 0)], [1, ...x.shape.slice(1)]);
}

/** Hinge errors of logits: 1 - x where y is 1, 1 + x where it is 0, not below 0. */
function hinge(truth: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const signs = tf.sub(tf.mul(2, truth), 1);
  return tf.relu(tf.sub(1, tf.mul(logits, signs)));
}

/** Mean over the classes that the truth holds; a batch without truth of any class cannot occur with one-hot truth. */
function meanOverPresent(truth: tf.Tensor, errors: tf.Tensor): tf.Tensor {
  const channels = truth.shape[truth.rank - 1];
  if (channels === 1) return lovaszExtension(column(errors, 0), column(truth, 0));
  const losses: tf.Tensor[] = [];
  const present: tf.Tensor[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const classTruth = column(truth, channel);
    const isPresent = tf.cast(tf.greater(tf.sum(classTruth), 0), 'float32');
    losses.push(tf.mul(isPresent, lovaszExtension(column(errors, channel), classTruth)));
    present.push(isPresent);
  }
  return tf.div(tf.addN(losses), tf.maximum(tf.addN(present), 1));
}

/**
 * Lovász loss (Berman et al. 2018): a convex surrogate of 1 - IoU.
 * Binary logits: the Lovász hinge, which keeps a gradient at any logit that is wrong. Binary probabilities: the
 * extension of the errors |y - p|. Several classes: Lovász-softmax over the classes present. So for one channel the
 * value from logits is another than from their sigmoid, as in the authors' code. The truth must be 0 or 1.
 *
 * @param options `aggregation` (default 'batch'), `fromLogits` (default false), `numClasses`.
 * @returns A loss named 'lovasz'.
 * @throws InvalidArgumentError when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], head: 'logits', seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.lovasz({ fromLogits: true }) });
 * ```
 */
export function lovasz(options: LovaszOptions = {}): Loss {
  checkOptions('lovasz', options, ['aggregation']);
  const { fromLogits = false, aggregation = 'batch', numClasses } = options;
  return namedLoss('lovasz', (yTrue, yPred) => {
    const truth = targetsLike('lovasz', yTrue, yPred, numClasses);
    const binary = yPred.shape[yPred.rank - 1] === 1;
    const errors = binary && fromLogits ? hinge(truth, yPred) : tf.abs(tf.sub(truth, probabilities(yPred, fromLogits)));
    if (aggregation === 'batch') return meanOverPresent(truth, errors);
    const images = Array.from({ length: truth.shape[0] }, (_, image) =>
      meanOverPresent(oneImage(truth, image), oneImage(errors, image)),
    );
    return tf.div(tf.addN(images), images.length);
  });
}
