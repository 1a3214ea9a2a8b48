/** A network as one list of kernel calls over one memory, for any number of image sizes. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { Engine, type ReadyStep, type RunnableCode } from '../engine/engine.js';
import { type Block, OwnHeap, placedBytes } from '../engine/heap.js';
import { planMemory } from '../engine/memory.js';
import { parallelSteps } from '../engine/parallel.js';
import { Buffer, type Program } from '../engine/program.js';
import type { Precision, Weight } from '../engine/types.js';
import { FixedWeights, masterOf } from '../engine/weights.js';
import { OutOfMemoryError } from '../runtime/errors.js';
import type { KernelBinaries } from '../runtime/providers.js';
import { fold } from './graph/fold.js';
import { readModel } from './graph/readModel.js';
import { type Lowered, lower } from './lower/inference.js';
import type { WeightValues } from './modelWeights.js';

/** A program for one size of image. */
interface SizedProgram {
  readonly steps: readonly ReadyStep[];
  readonly code: RunnableCode;
  readonly input: Buffer;
  readonly outputs: Lowered['outputs'];
  /** Its maps and tables, without weights. */
  readonly block: Block;
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

/**
 * Bytes of a plan in those of its weights: themselves, their components, and what an image of 256x256 needs. Measured: 6.3 for PyConvU-Net
 * and U-Net of the paper's widths.
 */
const EXPECTED = 6.5;

/** Bytes that packing reads behind a filter. */
const READ_BEYOND = 256;

/** Programs that are kept: one for each size of image, the last used ones. */
const MOST_SIZES = 4;

/** [height, width, channels]. */
export type ImageShape = readonly [number, number, number];

/** Runs a model without its framework. */
export class InferencePlan {
  private readonly engine: Engine;
  /** The weights as the model has them. */
  private readonly masters: ReadonlyMap<Weight, Buffer>;
  private store: FixedWeights;
  /** What is packed of them. */
  private packed: Block[] = [];
  private readonly sizes = new Map<string, SizedProgram>();
  private readonly unpacked: Program[] = [];

  /**
   * @param weights Copied.
   * @throws OutOfMemoryError.
   */
  constructor(
    private readonly model: tfl.LayersModel,
    weights: WeightValues,
    binaries: KernelBinaries,
    private readonly options: InferencePlanOptions,
  ) {
    const { threads = 1 } = options;
    const bytes = [...weights.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.engine = new Engine(binaries, threads, new OwnHeap(threads > 1, EXPECTED * bytes));
    this.masters = new Map(
      [...weights].map(([variable, { byteLength }]) => [variable, new Buffer(byteLength, 'weights')]),
    );
    try {
      this.placeAll([...this.masters.values(), new Buffer(READ_BEYOND, 'weights')]);
    } catch (error) {
      this.engine.stop();
      throw error;
    }
    this.store = this.keep(weights);
  }

  /** Copies weights to their places. */
  private keep(weights: WeightValues): FixedWeights {
    const valuesOf = ({ address, bytes }: Buffer) => this.engine.floats(address, bytes / 4);
    for (const [variable, values] of weights) valuesOf(masterOf(this.masters, variable)).set(values);
    return new FixedWeights(this.masters, valuesOf);
  }

  /** Takes other values of the weights; everything is packed again when it is used. */
  reload(weights: WeightValues): void {
    for (const key of [...this.sizes.keys()]) this.drop(key);
    this.unpacked.length = 0;
    for (const block of this.packed) this.engine.free(block);
    this.packed = [];
    this.store = this.keep(weights);
  }

  /** Instructions in use. */
  get simd(): 'relaxed' | 'simd128' {
    return this.engine.simd;
  }

  /** Threads that the plan is made for. */
  get threads(): number {
    return this.engine.threads;
  }

  /** Why fewer threads compute than were asked for, or null as long as nothing went wrong. */
  get threadProblem(): string | null {
    return this.engine.threadProblem;
  }

  /** Whether threads have ended that the plan needs. */
  get isLost(): boolean {
    return this.engine.isLost;
  }

  /** Ends the threads; the plan cannot be used any more. */
  dispose(): void {
    this.engine.stop();
  }

  /** Bytes of the memory, what it expects to need among them. */
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
    const { code, input, outputs } = this.programFor(shape);
    this.engine.floats(input.address, image.length).set(image);
    code.run();
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
    this.sizes.delete(key);
    const program = known ?? this.buildOrMakeRoom(shape);
    // Behind all others: the first is the one that was used longest ago.
    this.sizes.set(key, program);
    for (const oldest of this.sizes.keys()) {
      if (this.sizes.size <= MOST_SIZES) break;
      this.drop(oldest);
    }
    return program;
  }

  private drop(key: string): void {
    const program = this.sizes.get(key);
    this.sizes.delete(key);
    if (program === undefined) return;
    program.code.drop();
    this.engine.free(program.block);
  }

  /** Where memory does not suffice, the programs of other sizes give way. */
  private buildOrMakeRoom(shape: ImageShape): SizedProgram {
    try {
      return this.build(shape);
    } catch (error) {
      if (!(error instanceof OutOfMemoryError) || this.sizes.size === 0) throw error;
      for (const key of [...this.sizes.keys()]) this.drop(key);
      return this.build(shape);
    }
  }

  /** Packs the filters that are asked for and not packed yet, those of a program for which memory did not suffice among them. */
  private pack(): void {
    const { engine, store, unpacked } = this;
    unpacked.push(store.takePacking());
    for (let program = unpacked[0]; program !== undefined; program = unpacked[0]) {
      engine.runOnce(program);
      unpacked.shift();
    }
  }

  /** Gives weights the places that they keep: one block for all, since each growth of a memory takes its time. */
  private placeAll(weights: readonly Buffer[]): Block {
    const { engine } = this;
    const block = engine.allocate(weights.reduce((sum, buffer) => sum + placedBytes(buffer.bytes), 0));
    let address = block.start;
    for (const buffer of weights) {
      buffer.address = address;
      engine.write(buffer);
      address += placedBytes(buffer.bytes);
    }
    return block;
  }

  private build(shape: ImageShape): SizedProgram {
    const { engine, store } = this;
    const graph = fold(readModel(this.model, shape), store.read, { compose: this.options.precision === 'fast' });
    const lowered = lower(graph, store, engine, this.options.precision);
    const parallel = parallelSteps(lowered.program, engine);
    const { arena, arenaBytes, tables, tableBytes } = planMemory(parallel, [
      lowered.input,
      ...lowered.outputs.map(({ image }) => image),
    ]);
    const unplaced = store.all().filter(({ address }) => Number.isNaN(address));
    if (unplaced.length > 0) this.packed.push(this.placeAll(unplaced));
    // Before the maps, whose place it takes for that long.
    this.pack();
    const block = engine.allocate(arenaBytes + tableBytes);
    for (const [buffer, offset] of arena) buffer.address = block.start + offset;
    for (const [buffer, offset] of tables) buffer.address = block.start + arenaBytes + offset;
    for (const buffer of tables.keys()) engine.write(buffer);
    const { input, outputs } = lowered;
    const steps = engine.ready(parallel);
    return { steps, code: engine.compile(steps), input, outputs, block };
  }
}
