/** From a prepared image to probabilities: the network on any size of image, and a check that they are probabilities. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { divisor } from '../models/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { LongCallOptions } from '../runtime/progress.js';
import { receivedText } from '../runtime/sentences.js';
import { checkThreads } from '../runtime/threads.js';
import { inputShapeOf } from './inputShape.js';
import { modelOf, OptimizedModel } from './optimize.js';
import { cropTo, nextMultiple, padToMultiple } from './padding.js';
import { type Predictor, predictorOf } from './predictor.js';

/** An image as the network takes it, scaled and resized; also a sample of a data set. */
export interface Prepared {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** `height * width * channels` values. */
  readonly image: Float32Array;
}

/** What {@link predictProbability} returns. */
export interface Probabilities {
  /** `height * width * classes` values in [0, 1], at the size of the prepared image. */
  readonly probability: Float32Array;
  /** Channels of the model's output: 1 (the foreground), or the number of classes. */
  readonly classes: number;
}

/** Options of {@link predictProbability}. */
export interface ProbabilityOptions extends Pick<LongCallOptions, 'signal'> {
  /**
   * Threads of the plan on backend wasm, where memory can be shared; the result does not depend on it. They end when nothing refers to
   * the model any more; those of a plan of your own (`optimizeForInference`) with its `dispose`. Default 1; an optimized model has its own number.
   */
  readonly threads?: number;
}

/** What predicts: the caller's plan, or the model's own. */
async function predictorFor(
  network: tfl.LayersModel | OptimizedModel,
  threads: number | undefined,
): Promise<Predictor> {
  if (!(network instanceof OptimizedModel)) return predictorOf(network, threads);
  if (threads === undefined) return network;
  throw new InvalidArgumentError(
    `An optimized model computes on the threads that it was made for. Received: threads=${threads}. Leave it out, or give threads to inference.optimizeForInference.`,
  );
}

/** How far rounding may carry a sigmoid or softmax out of [0, 1]. */
const ROUNDING = 1e-4;

/** Masks are bytes. */
const MOST_CLASSES = 256;

/** The model's prediction, its last output with deep supervision, and whether it still lacks its sigmoid or softmax. */
function outputOf(model: tfl.LayersModel): { isLogits: boolean; classes: number } {
  const output = model.outputs.at(-1);
  const classes = output?.shape[3];
  if (output?.shape.length !== 4 || classes === null || classes === undefined || classes > MOST_CLASSES) {
    throw new InvalidArgumentError(
      `Prediction takes a model whose last output is [batch, height, width, classes] with at most ${MOST_CLASSES} classes. Received: [${(output?.shape ?? []).map((size) => size ?? 'null').join(', ')}].`,
    );
  }
  return { isLogits: output.sourceLayer.name === 'logits', classes };
}

function checkPrepared(prepared: unknown): asserts prepared is Prepared {
  if (typeof prepared === 'object' && prepared !== null && 'image' in prepared) {
    const { image } = prepared;
    if (ArrayBuffer.isView(image)) return;
  }
  throw new InvalidArgumentError(
    `predictProbability takes {width, height, channels, image}: image holds height * width * channels values as a Float32Array, scaled as in training. Received: ${receivedText(prepared)}. For an image as it was decoded call predictMask.`,
  );
}

function checkInput(model: tfl.LayersModel, { width, height, channels }: Prepared): void {
  const [fixedHeight, fixedWidth, expected] = inputShapeOf(model);
  if (channels !== expected) {
    throw new InvalidArgumentError(
      `The model takes images of ${expected} channel${expected === 1 ? '' : 's'}. Received: ${channels}. Give its number of channels in preprocessing.`,
    );
  }
  const step = divisor(model);
  const fits = (length: number, fixed: number | null) => fixed === null || nextMultiple(length, step) === fixed;
  if (!fits(height, fixedHeight) || !fits(width, fixedWidth)) {
    throw new InvalidArgumentError(
      `The model was built for images of ${fixedHeight ?? 'any'}x${fixedWidth ?? 'any'} (height x width). Received: ${height}x${width}. Resize by preprocessing: {size: [height, width], ...}, or build it with inputShape [null, null, ${expected}].`,
    );
  }
}

/** Refuses what no threshold could read: values that are not finite, and logits of a model that does not say so. */
function checkProbabilities(values: Float32Array): void {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let notFinite = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) notFinite++;
    else {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (notFinite > 0) {
    throw new InvalidArgumentError(
      `${notFinite} of the ${values.length} values that the model predicts are not finite. Its weights are not finite (training diverged), or the image's values are not.`,
    );
  }
  if (low < -ROUNDING || high > 1 + ROUNDING) {
    throw new InvalidArgumentError(
      `The model predicts values from ${low.toPrecision(3)} to ${high.toPrecision(3)}, but probabilities lie in [0, 1]. End it in a sigmoid or softmax, or name its last layer 'logits'.`,
    );
  }
}

/**
 * Runs a network on an image that is scaled already, such as a sample of a data set.
 *
 * Images of a size that the network cannot take are filled up at the right and bottom by their own border and cut again. A
 * network that ends in a layer named `logits` (`head: 'logits'`) gets the sigmoid or softmax that it lacks.
 *
 * On backend wasm the model is planned first (see `optimizeForInference`), once for its weights; an image that the plan cannot hold is
 * predicted layer by layer.
 *
 * @param network A model [batch, height, width, channels] to [batch, height, width, classes], or one that is optimized already;
 *   of several outputs the last counts.
 * @param prepared Width, height, channels, and `height * width * channels` values scaled as in training.
 * @param options `threads`; `signal` is looked at before and after the network runs.
 * @returns `height * width * classes` probabilities, and the number of classes (1: the foreground's probability alone).
 * @throws InvalidArgumentError where image or model do not fit, or the model's values are no probabilities; `signal.reason`
 *   where aborted.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { inference, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], numClasses: 3, seed: 1 });
 * const sample = { width: 5, height: 4, channels: 1, image: new Float32Array(20) };
 * const { probability, classes } = await inference.predictProbability(model, sample);
 * console.log(probability.length, classes); // 60 3
 * ```
 */
export async function predictProbability(
  network: tfl.LayersModel | OptimizedModel,
  prepared: Prepared,
  options: ProbabilityOptions = {},
): Promise<Probabilities> {
  const { signal, threads } = options;
  if (threads !== undefined) checkThreads(threads);
  const model = modelOf(network);
  const { isLogits, classes } = outputOf(model);
  checkPrepared(prepared);
  checkInput(model, prepared);
  signal?.throwIfAborted();
  const { image, width, height, channels } = prepared;
  const predictor = await predictorFor(network, threads);
  signal?.throwIfAborted();
  const output = tf.tidy(() => {
    const x = tf.tensor4d(image, [1, height, width, channels]);
    const [map] = [predictor.predict(padToMultiple(x, divisor(model)))].flat().slice(-1) as tf.Tensor4D[];
    if (map === undefined) throw new Error('The model has an output, but predicted nothing.');
    const cropped = cropTo(map, height, width);
    if (!isLogits) return cropped;
    return classes === 1 ? tf.sigmoid(cropped) : tf.softmax(cropped);
  });
  try {
    const probability = Float32Array.from(await output.data());
    signal?.throwIfAborted();
    checkProbabilities(probability);
    return { probability, classes };
  } finally {
    output.dispose();
  }
}
