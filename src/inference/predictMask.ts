/** From an image to its segmentation: preprocessing as in training, the network, and back to the image's own size. */
import type * as tfl from '@tensorflow/tfjs-layers';
// Not from the room's index, which brings the decoders: a page that predicts has its image already.
import { type Preprocessing, preprocess } from '../data/preprocess.js';
import type { Raster } from '../data/raster.js';
import { resizeBilinear } from '../data/resize.js';
import { foregroundFrom } from '../metrics/scores.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { LongCallOptions } from '../runtime/progress.js';
import { checkThreads } from '../runtime/threads.js';
import { checkKeys } from '../spec/index.js';
import { inputShapeOf } from './inputShape.js';
import { defaultClasses, getMetadata, requirePreprocessing } from './metadata.js';
import { modelOf, type OptimizedModel } from './optimize.js';
import { type ImageSource, isBytePicture, readPixels } from './pixels.js';
import { type Prepared, predictProbability } from './probability.js';
import { Segmentation } from './segmentation.js';

/** Options of {@link predictMask}. */
export interface PredictOptions extends LongCallOptions {
  /**
   * What to do to the image first. Default: what the model was trained with; of a model that does not say, bytes are scaled
   * from 0..255 to [-1, 1]. 'none' takes the values as they are.
   */
  readonly preprocessing?: Preprocessing | 'none';
  /** Foreground where the probability is at least this, in [0, 1]; default the model's own, else 0.5. Binary models only. */
  readonly threshold?: number;
  /**
   * Threads of the plan on backend wasm, where memory can be shared; the result does not depend on it. They end when nothing refers to
   * the model any more; those of a plan of your own (`optimizeForInference`) with its `dispose`. Default 1; an optimized model has its own number.
   */
  readonly threads?: number;
}

function prepare(model: tfl.LayersModel, raster: Raster, wanted: PredictOptions['preprocessing']): Prepared {
  const [, , channels] = inputShapeOf(model);
  if (wanted === 'none') return { ...raster, image: Float32Array.from(raster.data) };
  if (wanted !== undefined) requirePreprocessing(wanted);
  const own = wanted ?? getMetadata(model)?.preprocessing;
  if (own !== undefined) return preprocess(raster, own);
  if (!isBytePicture(raster) || (channels !== 1 && channels !== 3)) {
    throw new InvalidArgumentError(
      `The model does not say how its images were scaled, and only bytes with 1 or 3 channels have a scale of their own. Received: ${raster.data.constructor.name} with ${raster.channels} channels for a model of ${channels}. Pass preprocessing: {channels, size, intensity}, or 'none' for values that are scaled already.`,
    );
  }
  return preprocess(raster, { channels, size: null, intensity: { kind: 'bytes' } });
}

/** The threshold of a binary model, or null: a model of several classes has none. */
function resolveThreshold(model: tfl.LayersModel, wanted: number | undefined): number | null {
  if (wanted !== undefined && !(wanted >= 0 && wanted <= 1)) {
    throw new InvalidArgumentError(`threshold must be a probability in [0, 1]. Received: ${String(wanted)}.`);
  }
  const classes = model.outputs.at(-1)?.shape[3];
  if (classes === 1) return wanted ?? getMetadata(model)?.threshold ?? 0.5;
  if (wanted !== undefined) {
    throw new InvalidArgumentError(
      `The model has ${String(classes)} classes, of which the most probable one is taken in each pixel. Received: threshold ${wanted}. Leave it out.`,
    );
  }
  return null;
}

/** Label of each pixel: by the threshold for one channel, the most probable class (the first of equals) for more. */
function toMask(probability: Float32Array, classes: number, threshold: number | null): Uint8Array {
  if (threshold !== null) {
    // As the metrics decide: probabilities are float32, and 0.7 as float32 is less than 0.7.
    const least = foregroundFrom(threshold, false);
    return Uint8Array.from(probability, (p) => (p >= least ? 1 : 0));
  }
  return Uint8Array.from({ length: probability.length / classes }, (_, pixel) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if ((probability[pixel * classes + c] ?? 0) > (probability[pixel * classes + best] ?? 0)) best = c;
    }
    return best;
  });
}

/**
 * Segments one image.
 *
 * Images of a size that the network cannot take are filled up at the right and bottom by their own border and cut again.
 * Where training resized images, the image is resized likewise and the probabilities back (bilinear). A canvas or bitmap
 * loses its alpha, as files do: draw the image on an opaque background first.
 *
 * On backend wasm the model is planned first (see `optimizeForInference`), once for its weights; an image that the plan cannot hold is
 * predicted layer by layer.
 *
 * @param network A model that ends in a sigmoid (binary), a softmax, or a layer named `logits`; of `models.load` or of any
 *   network here; or what `optimizeForInference` made of it.
 * @param image Browser pixels, a decoded file, or a tensor [height, width, channels] in the units of the training images; the
 *   tensor stays yours to dispose of.
 * @param options See {@link PredictOptions}; `signal` is looked at before and after the network runs.
 * @returns Mask, probabilities and contours at the size of `image`.
 * @throws InvalidArgumentError where image or model do not fit, or the model's values are no probabilities; DataError where
 *   its metadata is damaged, or it was trained on bytes and the image holds none; `signal.reason` where aborted.
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
  network: tfl.LayersModel | OptimizedModel,
  image: ImageSource,
  options: PredictOptions = {},
): Promise<Segmentation> {
  checkKeys('inference.predictMask', options, ['preprocessing', 'threshold', 'threads', 'signal', 'onProgress']);
  const { signal, onProgress, threads } = options;
  if (threads !== undefined) checkThreads(threads);
  signal?.throwIfAborted();
  const model = modelOf(network);
  const threshold = resolveThreshold(model, options.threshold);
  onProgress?.({ status: 'predicting', done: 0, total: 1 });
  const raster = await readPixels(image);
  const prepared = prepare(model, raster, options.preprocessing);
  const { probability: data, classes } = await predictProbability(network, prepared, {
    ...(signal === undefined ? {} : { signal }),
    ...(threads === undefined ? {} : { threads }),
  });
  const { width, height } = raster;
  const map = { width: prepared.width, height: prepared.height, channels: classes, data };
  const probability = width === map.width && height === map.height ? data : resizeBilinear(map, [height, width]);
  const result = new Segmentation({
    width,
    height,
    mask: toMask(probability, classes, threshold),
    probability,
    classes: getMetadata(model)?.classes ?? defaultClasses(classes),
    threshold,
  });
  onProgress?.({ status: 'predicting', done: 1, total: 1 });
  return result;
}
