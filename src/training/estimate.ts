/** What a training step needs, before the first one is taken: bytes from the network's shapes, seconds from forward passes of one image. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { complexity } from '../complexity/index.js';
import { ModelPredictor } from '../inference/predictor.js';
import { divisor } from '../models/index.js';
import { trainingBytes, UnplannableError } from '../plan/index.js';
import { InvalidArgumentError, OutOfMemoryError } from '../runtime/errors.js';
import { logitsModel } from './logitsModel.js';
import { type BatchSizes, pieceSizes } from './microBatches.js';
import { penaltiesOf } from './penalties.js';
import { whyNotPlanned } from './stepper.js';

/** The size of a training step. */
export interface StepSize extends BatchSizes {
  readonly height: number;
  readonly width: number;
  /** Threads of planned steps: each needs memory to work in. Default 1. */
  readonly threads?: number;
}

const BYTES = 4;
/** tfjs-backend-wasm starts with this much. */
const BASE_BYTES = 32 * 2 ** 20;
/**
 * Fitted to the peak heap of a step op by op on wasm, for the seven networks at 64x64 to 256x256, batches 1 to 4
 * (docs/decisions.md, 'Memory estimate'): copies of all weights that live throughout (weights, gradients, two moments, packed filters), those that
 * live while the optimizer works, and maps per layer output (outputs, their gradients, and what the convolutions unfold).
 */
const WEIGHT_COPIES = 5;
const OPTIMIZER_COPIES = 6;
const MAP_COPIES = 2.8;
/** A training step against a forward pass of the same images, measured op by op on wasm. */
const STEP_PER_FORWARD = 3.6;
/** A planned step against a planned prediction of the same images. */
const PLANNED_STEP_PER_FORWARD = 4;

/** Measured peaks reach 1.07 of the estimate: a limit is taken as if it were this much smaller. */
const MARGIN = 1.1;

/** The largest heap of WebAssembly with 32-bit addresses. */
const WASM_LIMIT = 2 ** 32 - 2 ** 16;

/**
 * Bytes of all layer outputs from which on no plan fits a heap of WebAssembly: a plan holds 0.4 of them and more (512x512, batch 5:
 * 6.4 GB of outputs, 2.9 GB).
 */
const MOST_LAID_OUT = 4 * WASM_LIMIT;

/** Images that are computed at once. */
const atOnce = ({ batchSize, microBatch = batchSize }: StepSize): number => Math.min(batchSize, microBatch);

/** Values of all layer outputs for one image; a model of one size has of another size as many for each pixel. */
function mapValues(model: tfl.LayersModel, height: number, width: number): number {
  const [, ownHeight, ownWidth, channels] = model.inputs[0]?.shape ?? [];
  if (channels === null || channels === undefined) {
    throw new InvalidArgumentError('The estimate needs a model with one image input of known channels.');
  }
  const [h, w] = [ownHeight ?? height, ownWidth ?? width];
  const { layers } = complexity(model, { inputShape: [h, w, channels] });
  const values = layers.reduce((sum, { outputShape }) => sum + outputShape.reduce((product, d) => product * d, 1), 0);
  return values * ((height * width) / (h * w));
}

/**
 * Estimates the peak memory of a training step.
 *
 * @param model The network.
 * @param size Height, width and batch size; images at once and in all, and threads, where they are not all, a multiple of the batch, and one.
 * @returns Bytes: on backend wasm, where steps are planned, what the plan takes; else an estimate, of which measured peaks are 0.72
 *   to 1.07.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 * import { estimateMemory } from 'pyconvunet/training';
 *
 * const model = models.uNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 });
 * console.log(estimateMemory(model, { height: 64, width: 64, batchSize: 5 }) < 2 ** 30); // true
 * ```
 */
export function estimateMemory(model: tfl.LayersModel, size: StepSize): number {
  return memoryEstimator(model)(size);
}

/** Estimates for several sizes: a plan is laid out once for the numbers of images that are computed at once. */
function memoryEstimator(model: tfl.LayersModel): (size: StepSize) => number {
  const known = new Map<string, number | null>();
  return (size) => {
    const key = `${size.height}x${size.width}x${pieceSizes(size)}, ${size.threads}`;
    const planned = known.get(key);
    const bytes = planned === undefined ? plannedMemory(model, size) : planned;
    known.set(key, bytes);
    return bytes ?? memoryLayerByLayer(model, size);
  };
}

/**
 * The exact memory of a planned step beside tfjs's own, or null where steps are not planned. To lay out a step that is far too large for any
 * memory would take minutes: it is taken as so many times a smaller one as it has more pixels.
 */
function plannedMemory(model: tfl.LayersModel, size: StepSize): number | null {
  const { height, width, threads = 1 } = size;
  const network = logitsModel(model);
  if (whyNotPlanned(network) !== null) return null;
  const channels = model.inputs[0]?.shape[3] ?? 1;
  const step = divisor(model);
  const half = (length: number) => Math.max(step, Math.round(length / 2 / step) * step);
  const isFarTooLarge = (h: number, w: number) => mapValues(model, h, w) * BYTES * atOnce(size) > MOST_LAID_OUT;
  let [h, w] = [height, width];
  while (isFarTooLarge(h, w) && Math.max(h, w) > step) [h, w] = [half(h), half(w)];
  try {
    const planned = trainingBytes(network, pieceSizes(size), [h, w, channels], {
      threads,
      penalties: penaltiesOf(network),
    });
    return BASE_BYTES + model.countParams() * BYTES + planned * ((height * width) / (h * w));
  } catch (error) {
    if (error instanceof UnplannableError) return null;
    throw error;
  }
}

function memoryLayerByLayer(model: tfl.LayersModel, size: StepSize): number {
  const weights = model.countParams() * BYTES;
  const maps = mapValues(model, size.height, size.width) * BYTES * atOnce(size);
  // The gradients of one piece stand beside the sum of those before it.
  const copies = WEIGHT_COPIES + (atOnce(size) < size.batchSize ? 1 : 0);
  return BASE_BYTES + copies * weights + Math.max(MAP_COPIES * maps, OPTIMIZER_COPIES * weights + maps);
}

/**
 * Bytes as text, in units of 2 ** 30 bytes.
 *
 * @param bytes A number of bytes.
 * @returns Two decimals and the unit.
 *
 * @example
 * ```ts
 * import { gibibytes } from 'pyconvunet/training';
 *
 * console.log(gibibytes(3 * 2 ** 29)); // 1.50 GiB
 * ```
 */
export const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** An estimate as messages state it beside a limit: so that what is refused is larger than the limit. */
const withMargin = (bytes: number): string => gibibytes(MARGIN * bytes);

const fits = (bytes: number, limit: number): boolean => MARGIN * bytes <= limit;

/**
 * A whole number up to `most` that fits, or 0: the largest, unless a plan keeps fewer maps from some number on and therefore needs less for a
 * few larger ones.
 */
function large(most: number, isFitting: (n: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isFitting(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A large batch and large pieces that fit, else a large size for a batch of one. */
function suggestion(model: tfl.LayersModel, size: StepSize, limit: number): string {
  const { height, width, batchSize } = size;
  const needed = memoryEstimator(model);
  const isFitting = (other: StepSize) => fits(needed(other), limit);
  const images = atOnce(size);
  const inPieces = (most: number) => large(most, (microBatch) => isFitting({ ...size, microBatch }));
  if (images < batchSize) {
    const piece = inPieces(images - 1);
    if (piece > 0) return `Micro-batches of ${piece} fit (${withMargin(needed({ ...size, microBatch: piece }))}).`;
  } else {
    const batch = large(batchSize - 1, (n) => isFitting({ ...size, batchSize: n }));
    if (batch > 0) {
      const piece = isFitting({ ...size, microBatch: batch }) ? batch : inPieces(batch - 1);
      const keeping = `, and so do micro-batches of ${piece}, which keep the batch of ${batchSize} (microBatch, or --micro-batch)`;
      return `A batch of ${batch} fits (${withMargin(needed({ ...size, batchSize: batch }))})${piece > 0 ? keeping : ''}.`;
    }
  }
  const step = divisor(model);
  // Both sides shrink by the same number of steps, as far as the shorter one reaches.
  const shorter = Math.floor(Math.min(height, width) / step);
  const shrunk = (n: number): StepSize => {
    const side = (length: number) => Math.max(step, Math.floor((length * n) / shorter / step) * step);
    return { ...size, height: side(height), width: side(width), batchSize: 1 };
  };
  const steps = large(shorter - 1, (n) => fits(needed(shrunk(n)), limit));
  if (steps === 0) return 'No size fits: choose narrower widths.';
  const smaller = shrunk(steps);
  return `A size of ${smaller.height}x${smaller.width} with a batch of 1 fits (${withMargin(needed(smaller))}).`;
}

/**
 * Refuses a training step that the backend may not hold: one whose estimate is more than the limit divided by 1.1, as
 * measured peaks exceed their estimate by up to a fourteenth.
 *
 * @param model The network.
 * @param size Height, width and batch size; images at once and in all, and threads, where they are not all, a multiple of the batch, and one.
 * @param machineBytes Memory of the machine, where it is known.
 * @returns The estimate in bytes, and the limit it was held against (null where none is known).
 * @throws OutOfMemoryError naming what is needed (1.1 of the estimate), what there is, and a batch, pieces of it or a size that fits.
 */
export function requireMemory(
  model: tfl.LayersModel,
  size: StepSize,
  machineBytes?: number,
): { bytes: number; limit: number | null } {
  const bytes = estimateMemory(model, size);
  const limits = [
    ...(tf.getBackend() === 'wasm' ? [WASM_LIMIT] : []),
    ...(machineBytes === undefined ? [] : [machineBytes]),
  ];
  if (limits.length === 0) return { bytes, limit: null };
  const limit = Math.min(...limits);
  if (!fits(bytes, limit)) {
    const pieces = atOnce(size) < size.batchSize ? ` in micro-batches of ${atOnce(size)}` : '';
    throw new OutOfMemoryError(
      `A training step of ${size.batchSize} ${size.batchSize === 1 ? 'image' : 'images'} of ${size.height}x${size.width}${pieces} needs about ${withMargin(bytes)}, and backend ${tf.getBackend()} can hold ${gibibytes(limit)} here. ${suggestion(model, size, limit)}`,
    );
  }
  return { bytes, limit };
}

/** Passes of small images are repeated for so long: what runs often is compiled meanwhile, and the first ones take many times as long. */
const MEASURED_SECONDS = 0.5;
const MOST_PASSES = 10;

/** Estimates the seconds of a training step from forward passes of one image: the median of the later half of them. */
export async function estimateStepSeconds(
  model: tfl.LayersModel,
  { height, width, batchSize, threads = 1 }: StepSize,
): Promise<number> {
  const network = logitsModel(model);
  const channels = model.inputs[0]?.shape[3] ?? 1;
  const predictor = new ModelPredictor(network, threads);
  try {
    await predictor.ready();
    const passes: number[] = [];
    let spent = 0;
    while (passes.length < 2 || (passes.length < MOST_PASSES && spent < MEASURED_SECONDS)) {
      const x = tf.zeros<tf.Rank.R4>([1, height, width, channels]);
      const started = performance.now();
      const heads = [predictor.predict(x)].flat();
      await heads[0]?.data();
      const seconds = (performance.now() - started) / 1000;
      spent += seconds;
      passes.push(seconds);
      tf.dispose([x, ...heads]);
    }
    const warm = passes.slice(passes.length / 2).sort((a, b) => a - b);
    const seconds = warm[Math.floor(warm.length / 2)] ?? 0;
    return seconds * batchSize * (whyNotPlanned(network) === null ? PLANNED_STEP_PER_FORWARD : STEP_PER_FORWARD);
  } finally {
    predictor.dispose();
  }
}
