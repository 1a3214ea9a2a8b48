/** What a training step needs, before the first one is taken: bytes from the network's shapes, seconds from one forward pass. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { complexity } from '../complexity/index.js';
import { divisor } from '../models/index.js';
import { trainingBytes, UnplannableError } from '../plan/index.js';
import { InvalidArgumentError, OutOfMemoryError } from '../runtime/errors.js';
import { logitsModel } from './logitsModel.js';
import { applyLogits } from './step.js';
import { whyNotPlanned } from './stepper.js';

/** The size of a training step. */
export interface StepSize {
  readonly height: number;
  readonly width: number;
  readonly batchSize: number;
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

/** Measured peaks reach 1.07 of the estimate: a limit is taken as if it were this much smaller. */
const MARGIN = 1.1;

/** The largest heap of WebAssembly with 32-bit addresses. */
const WASM_LIMIT = 2 ** 32 - 2 ** 16;

/** Values of all layer outputs for one image. */
function mapValues(model: tfl.LayersModel, height: number, width: number): number {
  const channels = model.inputs[0]?.shape[3];
  if (channels === null || channels === undefined) {
    throw new InvalidArgumentError('The estimate needs a model with one image input of known channels.');
  }
  const { layers } = complexity(model, { inputShape: [height, width, channels] });
  return layers.reduce((sum, { outputShape }) => sum + outputShape.reduce((product, d) => product * d, 1), 0);
}

/**
 * Estimates the peak memory of a training step.
 *
 * @param model The network.
 * @param size Height, width and batch size.
 * @returns Bytes; measured peaks lie between 0.72 and 1.07 of it.
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
  return plannedMemory(model, size) ?? memoryLayerByLayer(model, size);
}

/** The exact memory of a planned step beside tfjs's own, or null where steps are not planned. */
function plannedMemory(model: tfl.LayersModel, { height, width, batchSize }: StepSize): number | null {
  const network = logitsModel(model);
  if (whyNotPlanned(network) !== null) return null;
  const channels = model.inputs[0]?.shape[3] ?? 1;
  try {
    return BASE_BYTES + model.countParams() * BYTES + trainingBytes(network, batchSize, [height, width, channels]);
  } catch (error) {
    if (error instanceof UnplannableError) return null;
    throw error;
  }
}

function memoryLayerByLayer(model: tfl.LayersModel, { height, width, batchSize }: StepSize): number {
  const weights = model.countParams() * BYTES;
  const maps = mapValues(model, height, width) * BYTES * batchSize;
  return BASE_BYTES + WEIGHT_COPIES * weights + Math.max(MAP_COPIES * maps, OPTIMIZER_COPIES * weights + maps);
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

/** The largest batch that fits, else the largest size for a batch of one. */
function suggestion(model: tfl.LayersModel, { height, width, batchSize }: StepSize, limit: number): string {
  for (let smaller = batchSize - 1; smaller >= 1; smaller--) {
    const needed = estimateMemory(model, { height, width, batchSize: smaller });
    if (fits(needed, limit)) return `A batch of ${smaller} fits (${withMargin(needed)}).`;
  }
  const step = divisor(model);
  for (let factor = 0.9; factor > 0.02; factor -= 0.02) {
    const shrink = (length: number) => Math.floor((length * factor) / step) * step;
    const size = { height: shrink(height), width: shrink(width), batchSize: 1 };
    if (size.height < step || size.width < step) break;
    const needed = estimateMemory(model, size);
    if (fits(needed, limit))
      return `A size of ${size.height}x${size.width} with a batch of 1 fits (${withMargin(needed)}).`;
  }
  return 'No size fits: choose narrower widths.';
}

/**
 * Refuses a training step that the backend may not hold: one whose estimate is more than the limit divided by 1.1, as
 * measured peaks exceed their estimate by up to a fourteenth.
 *
 * @param model The network.
 * @param size Height, width and batch size.
 * @param machineBytes Memory of the machine, where it is known.
 * @returns The estimate in bytes, and the limit it was held against (null where none is known).
 * @throws OutOfMemoryError naming what is needed (1.1 of the estimate), what there is, and a batch or size that fits.
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
    throw new OutOfMemoryError(
      `A training step of ${size.batchSize} images of ${size.height}x${size.width} needs about ${withMargin(bytes)}, and backend ${tf.getBackend()} can hold ${gibibytes(limit)} here. ${suggestion(model, size, limit)}`,
    );
  }
  return { bytes, limit };
}

/** Estimates the seconds of a training step from one forward pass of one image (after one to warm up). */
export async function estimateStepSeconds(
  model: tfl.LayersModel,
  { height, width, batchSize }: StepSize,
): Promise<number> {
  const network = logitsModel(model);
  const channels = model.inputs[0]?.shape[3] ?? 1;
  let seconds = 0;
  for (let pass = 0; pass < 2; pass++) {
    const started = performance.now();
    const heads = tf.tidy(() => applyLogits(network, tf.zeros([1, height, width, channels]), { training: false }));
    await heads[0]?.data();
    tf.dispose(heads);
    seconds = (performance.now() - started) / 1000;
  }
  return seconds * batchSize * STEP_PER_FORWARD;
}
