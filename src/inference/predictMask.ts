/** From an image to its segmentation: preprocessing as in training, the network, and back to the image's own size. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
// Not from the room's index, which brings the decoders: a page that predicts has its image already.
import { type Preprocessing, preprocess } from '../data/preprocess.js';
import { isEightBit, type Raster } from '../data/raster.js';
import { resizeBilinear } from '../data/resize.js';
import { divisor } from '../models/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { LongCallOptions } from '../runtime/progress.js';
import { getMetadata } from './metadata.js';
import { cropTo, padToMultiple } from './padding.js';
import { type ImageSource, readPixels } from './pixels.js';
import { Segmentation } from './segmentation.js';

/** Options of {@link predictMask}. */
export interface PredictOptions extends LongCallOptions {
  /**
   * What to do to the image first. Default: what the model was trained with; of a model that does not say, bytes are scaled
   * from 0..255 to [-1, 1]. 'none' takes the values as they are.
   */
  readonly preprocessing?: Preprocessing | 'none';
  /** Foreground where the probability is at least this; default the model's own, else 0.5. Binary models only. */
  readonly threshold?: number;
}

/** An image as the network takes it, scaled and resized. */
export interface Prepared {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly image: Float32Array;
}

function modelChannels(model: tfl.LayersModel): number {
  const channels = model.inputs[0]?.shape[3];
  if (channels === null || channels === undefined || model.inputs.length > 1) {
    throw new InvalidArgumentError('predictMask takes a model with one image input [batch, height, width, channels].');
  }
  return channels;
}

function prepare(model: tfl.LayersModel, raster: Raster, wanted: PredictOptions['preprocessing']): Prepared {
  const channels = modelChannels(model);
  if (wanted === 'none') {
    if (raster.channels !== channels) {
      throw new InvalidArgumentError(
        `The model takes ${channels} channels. Received: an image with ${raster.channels}.`,
      );
    }
    return { ...raster, image: Float32Array.from(raster.data) };
  }
  const own = wanted ?? getMetadata(model)?.preprocessing;
  if (own !== undefined) return preprocess(raster, own);
  if (!isEightBit(raster) || (channels !== 1 && channels !== 3)) {
    throw new InvalidArgumentError(
      `The model does not say how its images were scaled, and this image does not hold bytes with 1 or 3 channels. Pass preprocessing: {channels, size, intensity}, or 'none' for values that are scaled already.`,
    );
  }
  return preprocess(raster, { channels, size: null, intensity: { kind: 'range', low: 0, high: 255 } });
}

/** The last output of the model: with deep supervision, its prediction. */
function lastOutput(outputs: tf.Tensor | tf.Tensor[]): tf.Tensor4D {
  const last = Array.isArray(outputs) ? outputs[outputs.length - 1] : outputs;
  if (last === undefined || last.rank !== 4)
    throw new InvalidArgumentError('predictMask takes a model whose output is [batch, height, width, classes].');
  return last as tf.Tensor4D;
}

/** Label of each pixel: threshold for one channel, the most probable class for more. */
function toMask(probability: Float32Array, classes: number, threshold: number): Uint8Array {
  if (classes === 1) return Uint8Array.from(probability, (p) => (p >= threshold ? 1 : 0));
  return Uint8Array.from({ length: probability.length / classes }, (_, pixel) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if ((probability[pixel * classes + c] ?? 0) > (probability[pixel * classes + best] ?? 0)) best = c;
    }
    return best;
  });
}

/**
 * Runs the network on a prepared image of any size.
 *
 * @returns `height * width * classes` probabilities at the size of the prepared image.
 */
export async function predictProbability(
  model: tfl.LayersModel,
  { image, width, height, channels }: Prepared,
): Promise<{ probability: Float32Array; classes: number }> {
  const output = tf.tidy(() => {
    const x = tf.tensor4d(image, [1, height, width, channels]);
    return cropTo(lastOutput(model.predict(padToMultiple(x, divisor(model)))), height, width);
  });
  const probability = Float32Array.from(await output.data());
  output.dispose();
  return { probability, classes: output.shape[3] };
}

/**
 * Segments one image.
 *
 * Images of a size that the network cannot take are filled up at the right and bottom by their own border and cut again.
 * Where training resized images, the image is resized likewise and the probabilities back (bilinear).
 *
 * @param model A model that ends in probabilities: sigmoid (binary) or softmax; of `models.load` or of any network here.
 * @param image Browser pixels, a decoded file, or a tensor [height, width, channels] in the units of the training images.
 * @param options See {@link PredictOptions}; `signal` is looked at before and after the network runs.
 * @returns Mask, probabilities and contours at the size of `image`.
 * @throws InvalidArgumentError where image or model do not fit; `signal.reason` where aborted.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { inference, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
 * const image = { width: 20, height: 18, channels: 1, data: new Uint8Array(360) };
 * const result = await inference.predictMask(model, image);
 * console.log(result.mask.length, result.width, result.height); // 360 20 18
 * ```
 */
export async function predictMask(
  model: tfl.LayersModel,
  image: ImageSource,
  options: PredictOptions = {},
): Promise<Segmentation> {
  const { signal, onProgress } = options;
  const metadata = getMetadata(model);
  const threshold = options.threshold ?? metadata?.threshold ?? 0.5;
  signal?.throwIfAborted();
  const raster = await readPixels(image);
  const prepared = prepare(model, raster, options.preprocessing);
  onProgress?.({ status: 'predicting', done: 0, total: 1 });
  const { probability: small, classes } = await predictProbability(model, prepared);
  signal?.throwIfAborted();
  const { width, height } = raster;
  const sameSize = width === prepared.width && height === prepared.height;
  const probability = sameSize
    ? small
    : resizeBilinear({ width: prepared.width, height: prepared.height, channels: classes, data: small }, [
        height,
        width,
      ]);
  onProgress?.({ status: 'predicting', done: 1, total: 1 });
  return new Segmentation({
    width,
    height,
    mask: toMask(probability, classes, threshold),
    probability,
    classes: metadata?.classes ?? defaultClasses(classes),
    threshold,
  });
}

/** Names for a model that has none. */
export const defaultClasses = (channels: number): string[] =>
  channels === 1
    ? ['background', 'foreground']
    : Array.from({ length: channels }, (_, i) => (i === 0 ? 'background' : `class ${i}`));
