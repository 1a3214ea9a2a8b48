/** Mean IoU and Dice as functions for `model.compile({metrics})`. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import { checkKeys } from '../spec/index.js';
import {
  type Aggregation,
  type ClassSelection,
  type EmptyPolicy,
  foregroundFrom,
  requirePolicies,
  requireThreshold,
} from './scores.js';

/** A metric as `model.compile({metrics: [...]})` takes it: a scalar from [N, ..., 1 or C] tensors. */
export type Metric = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Scalar;

/** Options of the metrics for `compile`. */
export interface MetricOptions {
  /** A pixel is foreground where its probability is at least this; one channel only. Default 0.5. */
  readonly threshold?: number;
  /** Whether `yPred` holds logits. Default false. */
  readonly fromLogits?: boolean;
  /** Default: 'all' for `meanIoU`, 'foreground' for `dice`. */
  readonly classes?: ClassSelection;
  /** 'dataset' (default): counts of the whole batch are added up before they are divided; 'image': mean over images. */
  readonly aggregation?: Aggregation;
  /** Default 'one'. With 'ignore' and nothing left the value is NaN. */
  readonly emptyPolicy?: EmptyPolicy;
}

const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`;

/** Truth and prediction as 0 and 1 per class, [N, pixels, classes]. */
function classMaps(name: string, yTrue: tf.Tensor, yPred: tf.Tensor, least: number): [tf.Tensor, tf.Tensor] {
  const channels = yPred.shape[yPred.rank - 1];
  const trueChannels = yTrue.shape[yTrue.rank - 1];
  const pixelsFit =
    yTrue.rank === yPred.rank &&
    yPred.rank >= 2 &&
    yTrue.shape.slice(0, -1).every((size, axis) => size === yPred.shape[axis]);
  if (!pixelsFit || (trueChannels !== 1 && trueChannels !== channels)) {
    throw new InvalidArgumentError(
      `metrics.${name}: yTrue must be the pixels of yPred with 1 channel (labels) or as many as yPred (one-hot). ` +
        `Received: yTrue ${shapeText(yTrue.shape)}, yPred ${shapeText(yPred.shape)}.`,
    );
  }
  const classes = Math.max(2, channels);
  const [images] = yPred.shape;
  const pixels = yPred.size / channels;
  const toMaps = (labels: tf.Tensor) =>
    tf.reshape(tf.cast(tf.oneHot(tf.cast(tf.reshape(labels, [pixels]), 'int32'), classes), 'float32'), [
      images,
      -1,
      classes,
    ]);
  const truth = trueChannels === 1 ? yTrue : tf.argMax(yTrue, -1);
  const prediction = channels === 1 ? tf.greaterEqual(yPred, least) : tf.argMax(yPred, -1);
  return [toMaps(truth), toMaps(prediction)];
}

function valueOfEmpty(policy: EmptyPolicy): number {
  return policy === 'one' ? 1 : 0;
}

/** The mean of `ratio(counts)` over classes (and images). */
function overlapMetric(
  name: string,
  options: MetricOptions,
  defaultClasses: ClassSelection,
  ratio: (tp: tf.Tensor, errors: tf.Tensor) => { numerator: tf.Tensor; denominator: tf.Tensor },
): Metric {
  checkKeys(`metrics.${name}`, options, ['threshold', 'fromLogits', 'classes', 'aggregation', 'emptyPolicy']);
  const { threshold = 0.5, fromLogits = false, classes = defaultClasses } = options;
  const { aggregation = 'dataset', emptyPolicy = 'one' } = options;
  requireThreshold(`metrics.${name}`, threshold);
  requirePolicies(`metrics.${name}`, { emptyPolicy, aggregation, classes });
  const least = foregroundFrom(threshold, fromLogits);
  const axes = aggregation === 'dataset' ? [0, 1] : [1];
  const metric: Metric = (yTrue, yPred) =>
    tf.tidy(() => {
      const [truth, prediction] = classMaps(name, yTrue, yPred, least);
      const tp = tf.sum(tf.mul(truth, prediction), axes);
      const errors = tf.sum(tf.abs(tf.sub(truth, prediction)), axes);
      const { numerator, denominator } = ratio(tp, errors);
      const present = tf.cast(tf.greater(denominator, 0), 'float32');
      const values = tf.add(
        tf.div(numerator, tf.maximum(denominator, 1)),
        tf.mul(tf.sub(1, present), valueOfEmpty(emptyPolicy)),
      );
      const selected = (x: tf.Tensor) => (classes === 'all' ? x : tf.slice(x, x.rank === 1 ? [1] : [0, 1]));
      if (emptyPolicy !== 'ignore') return tf.mean(selected(values)) as tf.Scalar;
      return meanOfPresent(selected(values), selected(present));
    });
  Object.defineProperty(metric, 'name', { value: name });
  return metric;
}

/** Per class over the images that hold it, then over the classes, as `ConfusionMatrix` does it. */
function meanOfPresent(values: tf.Tensor, present: tf.Tensor): tf.Scalar {
  const images = values.rank === 2 ? tf.sum(present, 0) : present;
  const sums = values.rank === 2 ? tf.sum(values, 0) : values;
  const perClass = tf.div(sums, tf.maximum(images, 1));
  const classes = tf.sum(tf.cast(tf.greater(images, 0), 'float32'));
  return tf.div(tf.sum(perClass), classes) as tf.Scalar;
}

/**
 * Mean over the classes of TP / (TP + FP + FN), of one batch.
 * `model.fit` averages the values of batches, which is not the IoU of the data set: `ConfusionMatrix` gives that.
 *
 * @param options See `MetricOptions`; `classes` is 'all' by default, as the paper counts.
 * @returns A function named 'meanIoU'.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, metrics, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.bceDice(), metrics: [metrics.meanIoU()] });
 * ```
 */
export function meanIoU(options: MetricOptions = {}): Metric {
  return overlapMetric('meanIoU', options, 'all', (tp, errors) => ({ numerator: tp, denominator: tf.add(tp, errors) }));
}

/**
 * Mean over the foreground's classes of 2 TP / (2 TP + FP + FN), of one batch; see `meanIoU` on batches.
 *
 * @param options See `MetricOptions`; `classes` is 'foreground' by default.
 * @returns A function named 'dice'.
 * @throws InvalidArgumentError for an illegal option, or when called with shapes that do not fit.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, metrics, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.bceDice(), metrics: [metrics.dice({ threshold: 0.4 })] });
 * ```
 */
export function dice(options: MetricOptions = {}): Metric {
  return overlapMetric('dice', options, 'foreground', (tp, errors) => ({
    numerator: tf.mul(2, tp),
    denominator: tf.add(tf.mul(2, tp), errors),
  }));
}
