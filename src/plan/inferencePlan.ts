/** A network as one list of kernel calls over one memory, for any number of image sizes. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { KernelBinaries } from '../runtime/providers.js';
import { Engine, type ReadyStep } from './engine.js';
import { fold } from './graph/fold.js';
import { readModel } from './graph/readModel.js';
import type { Precision } from './lower/convolution.js';
import { type Lowered, lower } from './lower/inference.js';
import { planMemory } from './memory.js';
import { parallelSteps } from './parallel.js';
import type { Buffer } from './program.js';
import { FixedWeights } from './weights.js';

/** A program for one size of image. */
interface SizedProgram {
  readonly steps: readonly ReadyStep[];
  readonly run: () => void;
  readonly input: Buffer;
  readonly outputs: Lowered['outputs'];
  /** Bytes of its maps and tables, without weights. */
  readonly bytes: number;
}

/** One output of a model for one image. */
export interface OutputMap {
  /** `height * width * channels` values. */
  readonly data: Float32Array;
  readonly shape: ImageShape;
}

/** Options of a plan. */
export interface InferencePlanOptions {
  readonly precision: Precision;
  /** Default 1. */
  readonly threads?: number;
}

/** [height, width, channels]. */
export type ImageShape = readonly [number, number, number];

/** The weights of a model by variable, read once. */
export type WeightValues = ReadonlyMap<tfl.LayerVariable, Float32Array>;

/** Reads all weights. */
export async function readWeights(model: tfl.LayersModel): Promise<WeightValues> {
  const values = await Promise.all(
    model.weights.map(async (weight) => [weight, Float32Array.from(await weight.read().data())] as const),
  );
  return new Map(values);
}

/** Runs a model without its framework. */
export class InferencePlan {
  private readonly engine: Engine;
  private store: FixedWeights;
  private readonly sizes = new Map<string, SizedProgram>();

  constructor(
    private readonly model: tfl.LayersModel,
    private weights: WeightValues,
    binaries: KernelBinaries,
    private readonly options: InferencePlanOptions,
  ) {
    this.engine = new Engine(binaries, options.threads ?? 1);
    this.store = new FixedWeights(this.read);
  }

  private readonly read = (variable: tfl.LayerVariable): Float32Array => {
    const values = this.weights.get(variable);
    if (values === undefined) throw new Error(`The weight ${variable.name} does not belong to the model.`);
    return values;
  };

  /** Takes other values of the weights; everything is packed again when it is used. */
  reload(weights: WeightValues): void {
    this.weights = weights;
    this.store = new FixedWeights(this.read);
    this.sizes.clear();
    this.engine.freeAll();
  }

  /** Instructions in use. */
  get simd(): 'relaxed' | 'simd128' {
    return this.engine.simd;
  }

  /** Threads that the plan is made for. */
  get threads(): number {
    return this.engine.threads;
  }

  /** Ends the threads; the plan cannot be used any more. */
  dispose(): void {
    this.engine.stop();
  }

  /** Bytes of the memory in use. */
  get bytes(): number {
    return this.engine.bytes;
  }

  /**
   * Computes the model's outputs of one image.
   *
   * @param image `height * width * channels` values.
   * @returns The outputs, as views of the plan's memory that are valid until the next call.
   * @throws UnplannableError where a layer has no rule; OutOfMemoryError.
   */
  run(image: Float32Array, shape: ImageShape): OutputMap[] {
    const { run, input, outputs } = this.programFor(shape);
    this.engine.floats(input.address, image.length).set(image);
    run();
    return outputs.map(({ image: { address, bytes }, shape: { height, width, channels } }) => ({
      data: this.engine.floats(address, bytes / 4),
      shape: [height, width, channels],
    }));
  }

  /** The steps for a size, for a profile. */
  stepsFor(shape: ImageShape): readonly ReadyStep[] {
    return this.programFor(shape).steps;
  }

  private programFor(shape: ImageShape): SizedProgram {
    const key = shape.join('x');
    const known = this.sizes.get(key);
    if (known !== undefined) return known;
    const made = this.build(shape);
    this.sizes.set(key, made);
    return made;
  }

  private build(shape: ImageShape): SizedProgram {
    const { engine, store } = this;
    const graph = fold(readModel(this.model, shape), this.read, { compose: this.options.precision === 'fast' });
    const lowered = lower(graph, store, { vectors: engine.vectors, threads: engine.threads }, this.options.precision);
    const parallel = parallelSteps(lowered.program, engine.threads);
    const { arena, arenaBytes, tables, tableBytes } = planMemory(parallel, [
      lowered.input,
      ...lowered.outputs.map(({ image }) => image),
    ]);
    for (const buffer of store.all()) {
      if (!Number.isNaN(buffer.address)) continue;
      buffer.address = engine.allocate(buffer.bytes).start;
      engine.write(buffer);
    }
    const block = engine.allocate(arenaBytes + tableBytes);
    for (const [buffer, offset] of arena) buffer.address = block.start + offset;
    for (const [buffer, offset] of tables) buffer.address = block.start + arenaBytes + offset;
    for (const buffer of tables.keys()) engine.write(buffer);
    engine.runOnce(store.takePacking());
    const { input, outputs } = lowered;
    const steps = engine.ready(parallel);
    return { steps, run: engine.compile(steps), input, outputs, bytes: block.end - block.start };
  }
}
