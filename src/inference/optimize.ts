/** A network planned as one list of kernel calls: several times faster than operation by operation, with the same results. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { divisor } from '../models/index.js';
import {
  type ImageShape,
  InferencePlan,
  type OutputMap,
  type Precision,
  readModel,
  UnplannableError,
  withWeights,
} from '../plan/index.js';
import { DISPLAY, type Displayable, DisplayKind, INSPECT, type MimeBundle } from '../runtime/display.js';
import { InvalidArgumentError, OutOfMemoryError } from '../runtime/errors.js';
import { findProvider } from '../runtime/providers.js';
import { Random } from '../runtime/random.js';
import { messageOf, receivedText, withoutPeriod } from '../runtime/sentences.js';
import { checkThreads } from '../runtime/threads.js';
import { checkKeys } from '../spec/index.js';
import { inputShapeOf } from './inputShape.js';
import { nextMultiple } from './padding.js';

/** Options of {@link optimizeForInference}. */
export interface OptimizeOptions {
  /**
   * 'fast' (default) convolves by Winograd's and Strassen's algorithms where they are faster, with a relative error of up to 1e-5 a
   * convolution; 'exact' sums products directly, as TensorFlow.js does.
   */
  readonly precision?: Precision;
  /**
   * Threads, the caller's among them, where memory can be shared (Node, Deno, Bun, cross-origin-isolated pages); elsewhere one. The
   * result does not depend on it. Default 1.
   */
  readonly threads?: number;
}

/** Difference from the model, relative to its largest value where that is above 1, from which on a plan is not used. */
const MOST_DIFFERENCE = 1e-3;

const PLANNED_BACKENDS = ['wasm', 'cpu'];

function checkPrecision(precision: unknown): asserts precision is Precision {
  if (precision === 'fast' || precision === 'exact') return;
  throw new InvalidArgumentError(
    `precision must be 'fast' or 'exact'. Received: precision=${JSON.stringify(precision)}.`,
  );
}

function checkModel(model: unknown): asserts model is tfl.LayersModel {
  if (model instanceof OptimizedModel) {
    throw new InvalidArgumentError('The model is optimized already. Give the model that it was made of, its `model`.');
  }
  if (isLayersModel(model)) return;
  throw new InvalidArgumentError(
    `inference.optimizeForInference takes a model of TensorFlow.js's layers. Received: ${receivedText(model)}.`,
  );
}

const isLayersModel = (model: unknown): model is tfl.LayersModel =>
  typeof model === 'object' && model !== null && 'inputs' in model && 'layers' in model;

/** Models of any size are looked at with images up to this; what takes none of them runs layer by layer. */
const LARGEST_SAMPLE = 512;

/**
 * The shape of a small image that the model takes: at least 32x32, so that the deepest maps of the networks have more than one pixel and the
 * second ones enough for Strassen's algorithm, and doubled until every layer is left some pixels, without which kernels of TensorFlow.js
 * write beyond their memory.
 *
 * @throws UnplannableError where there is none, or a layer has no rule.
 */
function sampleShape(model: tfl.LayersModel): ImageShape {
  const [height, width, channels] = inputShapeOf(model);
  const step = divisor(model);
  const largest = Math.max(height ?? LARGEST_SAMPLE, width ?? LARGEST_SAMPLE);
  for (let side = Math.max(nextMultiple(32, step), 2 * step); ; side *= 2) {
    // Of a model for one size the layers take smaller images too; they are only fewer pixels to compute.
    const shape: ImageShape = [Math.min(side, height ?? side), Math.min(side, width ?? side), channels];
    try {
      readModel(model, shape);
      return shape;
    } catch (error) {
      if (side < largest) continue;
      if (error instanceof UnplannableError) throw error;
      throw new UnplannableError(
        `the model takes no image of ${shape[0]}x${shape[1]} (${withoutPeriod(messageOf(error))})`,
      );
    }
  }
}

/** An image of numbers in [-1, 1]. */
function sampleOf([height, width, channels]: ImageShape): tf.Tensor4D {
  const random = new Random(1);
  const values = Float32Array.from({ length: height * width * channels }, () => 2 * random.next() - 1);
  return tf.tensor4d(values, [1, height, width, channels]);
}

const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** What is worth knowing of a plan in a line. */
function planText({ threads, threadProblem, simd, bytes }: OptimizedModel): string {
  const count = threads === 1 ? '1 thread' : `${threads} threads`;
  const problem = threadProblem === null ? '' : ` (fewer than asked for: ${withoutPeriod(threadProblem)})`;
  const instructions = simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD128';
  return `planned, ${count}${problem}, ${instructions}, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** An optimized model in a Jupyter cell. */
const optimizedDisplay = new DisplayKind<OptimizedModel>((optimized) => optimized[INSPECT]());

/** A model whose predictions are planned; made by {@link optimizeForInference}. */
export class OptimizedModel implements Displayable {
  private plan: InferencePlan | null;
  private isDisposed = false;

  private constructor(
    /** The model that it was made from; it stays the caller's. */
    readonly model: tfl.LayersModel,
    plan: InferencePlan | null,
    /** Why the model runs operation by operation, or null where it is planned. */
    readonly reason: string | null,
    /** Largest difference from the model's own outputs on a sample, or null where it is not planned. */
    readonly difference: number | null,
  ) {
    this.plan = plan;
  }

  /** Plans a model and proves it; see {@link optimizeForInference}. */
  static async create(model: tfl.LayersModel, precision: Precision, threads = 1): Promise<OptimizedModel> {
    const kernels = findProvider('wasm')?.kernels;
    const backend = tf.getBackend();
    const opByOp = (reason: string) => new OptimizedModel(model, null, reason, null);
    if (!PLANNED_BACKENDS.includes(backend)) return opByOp(`backend ${backend} runs the model itself`);
    if (kernels === undefined) return opByOp("the import of 'pyconvunet/wasm' is missing");
    let plan: InferencePlan | null = null;
    try {
      // Before the plan takes memory.
      const shape = sampleShape(model);
      const options = { precision, threads };
      plan = await withWeights(model, (weights) => new InferencePlan(model, weights, kernels, options));
      const difference = prove(model, plan, shape);
      if (difference <= MOST_DIFFERENCE) return new OptimizedModel(model, plan, null, difference);
      plan.dispose();
      return opByOp(`the plan differs from the model by ${difference.toExponential(1)} on a sample`);
    } catch (error) {
      plan?.dispose();
      if (error instanceof UnplannableError) return opByOp(error.message);
      throw error;
    }
  }

  /**
   * Takes over the weights that the model has now.
   *
   * @throws InvalidArgumentError after {@link dispose}.
   */
  async reload(): Promise<void> {
    this.checkIsKept();
    await withWeights(this.model, (weights) => this.plan?.reload(weights));
  }

  /** Instructions in use: SIMD128, or relaxed SIMD with its fused multiply-add; null where the model is not planned. */
  get simd(): 'simd128' | 'relaxed' | null {
    return this.plan?.simd ?? null;
  }

  /** Threads that the plan is made for; null where the model is not planned. See {@link threadProblem}. */
  get threads(): number | null {
    return this.plan?.threads ?? null;
  }

  /** Why fewer threads compute than were asked for, as the runtime says it, or null as long as nothing went wrong. */
  get threadProblem(): string | null {
    return this.plan?.threadProblem ?? null;
  }

  /** Whether a thread has ended that the plan needs: `predict` fails from then on, and another plan must be made. */
  get isLost(): boolean {
    return this.plan?.isLost ?? false;
  }

  /** Bytes of the plan's own memory. */
  get bytes(): number {
    return this.plan?.bytes ?? 0;
  }

  /**
   * Computes what `model.predict(x)` computes.
   *
   * @param x [batch, height, width, channels]; stays the caller's.
   * @returns The model's output or outputs, the caller's to dispose of.
   * @throws InvalidArgumentError after {@link dispose}, or for an image that the model does not take; OutOfMemoryError for one that the
   *   plan's memory cannot hold: smaller ones can be predicted afterwards.
   */
  predict(x: tf.Tensor4D): tf.Tensor | tf.Tensor[] {
    this.checkIsKept();
    const { plan } = this;
    if (plan === null) return this.model.predict(x);
    const shape: readonly number[] = x instanceof tf.Tensor ? x.shape : [];
    const [batch = 0, height = 0, width = 0, channels = 0] = shape;
    const wanted = inputShapeOf(this.model);
    const isTaken = [height, width, channels].every((size, i) => wanted[i] === null || wanted[i] === size);
    if (shape.length !== 4 || batch === 0 || !isTaken) {
      const [rows, columns, depth] = wanted;
      const received = x instanceof tf.Tensor ? `[${shape.join(', ')}]` : 'no tensor';
      throw new InvalidArgumentError(
        `The model takes [batch, ${rows ?? 'height'}, ${columns ?? 'width'}, ${depth}]. Received: ${received}.`,
      );
    }
    const values = x.dataSync<'float32'>();
    const size = height * width * channels;
    const images: tf.Tensor4D[][] = [];
    for (let i = 0; i < batch; i++) {
      const outputs = runPlan(plan, values.subarray(i * size, (i + 1) * size), [height, width, channels]);
      images.push(outputs.map(({ data, shape }) => tf.tensor4d(data.slice(), [1, ...shape])));
    }
    const [first = []] = images;
    const outputs = first.map((output, i) => {
      if (images.length === 1) return output;
      const parts = images.flatMap((image) => image[i] ?? []);
      const joined = tf.concat(parts, 0);
      tf.dispose(parts);
      return joined;
    });
    const [only] = outputs;
    return outputs.length === 1 && only !== undefined ? only : outputs;
  }

  private checkIsKept(): void {
    if (!this.isDisposed) return;
    throw new InvalidArgumentError(
      'The optimized model was disposed of. Make another by inference.optimizeForInference.',
    );
  }

  /** A line where it is printed: the layers and tables that it holds fill pages. */
  [INSPECT](): string {
    const unplanned = this.reason === null ? null : `not planned (${withoutPeriod(this.reason)})`;
    return `OptimizedModel of ${this.model.name}: ${this.isDisposed ? 'disposed of' : (unplanned ?? planText(this))}`;
  }

  /** Shows the same line in a Jupyter cell. */
  [DISPLAY](): Promise<MimeBundle> {
    return optimizedDisplay.show(this);
  }

  /** Gives the plan's memory back; a second call changes nothing. The model stays. */
  dispose(): void {
    this.isDisposed = true;
    this.plan?.dispose();
    this.plan = null;
  }
}

/** Runs a plan; an image that it has no memory for is named by its size. */
function runPlan(plan: InferencePlan, image: Float32Array, shape: ImageShape): OutputMap[] {
  try {
    return plan.run(image, shape);
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    const [height, width] = shape;
    throw new OutOfMemoryError(`An image of ${height}x${width} does not fit. ${error.message}`, { cause: error });
  }
}

/** The model of a network that may be optimized already. */
export function modelOf(network: tfl.LayersModel | OptimizedModel): tfl.LayersModel {
  if (network instanceof OptimizedModel) return network.model;
  if (isLayersModel(network)) return network;
  throw new InvalidArgumentError(
    `Prediction takes a model of TensorFlow.js's layers, or one of inference.optimizeForInference. Received: ${receivedText(network)}.`,
  );
}

/** Largest difference between the plan and the model on a sample, relative to the largest value where that is above 1. */
function prove(model: tfl.LayersModel, plan: InferencePlan, shape: ImageShape): number {
  return tf.tidy(() => {
    const x = sampleOf(shape);
    // The plan first: while the model computes, the engine compiles faster code of the kernels that the plan has warmed up.
    const outputs = plan.run(x.dataSync<'float32'>(), shape);
    const expected = listOf(model.apply(x, { training: false }) as tf.Tensor | tf.Tensor[]);
    let worst = 0;
    for (const [i, tensor] of expected.entries()) {
      const values = tensor.dataSync();
      const planned = outputs[i]?.data ?? new Float32Array(0);
      let largest = 1;
      let difference = 0;
      for (let j = 0; j < values.length; j++) {
        const value = values[j] ?? Number.NaN;
        // Not a number on both sides is no difference, on one side it is.
        if (Number.isNaN(value) && Number.isNaN(planned[j])) continue;
        const d = Math.abs(value - (planned[j] ?? Number.NaN));
        largest = Math.max(largest, Math.abs(value));
        difference = Number.isNaN(d) ? Number.POSITIVE_INFINITY : Math.max(difference, d);
      }
      worst = Math.max(worst, difference / largest);
    }
    return worst;
  });
}

/**
 * Plans a model for prediction on the CPU: its layers become one list of calls of WebAssembly kernels over one memory, normalisations
 * are folded into filters, filters are packed once. `predictMask` does this by itself on backend wasm; call it to keep a plan of
 * your own, for `predict` on tensors.
 *
 * The plan is checked against the model on a sample; where a layer has no rule, or the backend computes on a GPU, the result
 * runs the model operation by operation and says why in `reason`. Weights are read once: call `reload` after training.
 *
 * @param model A built model of one image input.
 * @param options `precision`, `threads`: see {@link OptimizeOptions}.
 * @returns The planned model, yours to dispose of; `model` stays yours too.
 * @throws InvalidArgumentError for an illegal option or a model of other inputs; OutOfMemoryError.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { inference, models, useBackend } from 'pyconvunet';
 * import 'pyconvunet/wasm';
 *
 * await useBackend('wasm', { log: () => {} });
 * const model = models.pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 });
 * const fast = await inference.optimizeForInference(model);
 * const y = tf.tidy(() => fast.predict(tf.zeros([1, 32, 32, 1]))) as tf.Tensor;
 * console.log(y.shape, fast.reason); // [1, 32, 32, 1] null
 * fast.dispose();
 * ```
 */
export async function optimizeForInference(
  model: tfl.LayersModel,
  options: OptimizeOptions = {},
): Promise<OptimizedModel> {
  checkKeys('inference.optimizeForInference', options, ['precision', 'threads']);
  const { precision = 'fast', threads = 1 } = options;
  checkPrecision(precision);
  checkThreads(threads);
  checkModel(model);
  inputShapeOf(model);
  return OptimizedModel.create(model, precision, threads);
}
