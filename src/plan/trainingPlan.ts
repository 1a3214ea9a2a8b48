/** A training step as one list of kernel calls over one memory: forward, backward, and the update of all weights. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { Engine, type ReadyStep, type RunnableCode } from '../engine/engine.js';
import { type Block, placedBytes } from '../engine/heap.js';
import type { Machine } from '../engine/lower/context.js';
import { type MemoryPlan, planMemory } from '../engine/memory.js';
import { parallelSteps } from '../engine/parallel.js';
import type { Buffer, Step } from '../engine/program.js';
import { possibleThreads } from '../engine/sharedMemory.js';
import { placeOf, type Tiles, tilesOf } from '../engine/tiles.js';
import type { AdamStep } from '../optimizers/index.js';
import { detectEnvironment } from '../runtime/environment.js';
import type { KernelBinaries } from '../runtime/providers.js';
import { readModel } from './graph/readModel.js';
import { foldForTraining, requireStatistics, type TrainingGraph } from './graph/training.js';
import type { ImageShape, OutputMap } from './inferencePlan.js';
import { type Keeps, type LoweredTraining, lowerTraining, type TrainingBuffers } from './lower/training/index.js';
import type { WeightValues } from './modelWeights.js';
import { tileFor } from './tileFor.js';
import { CONSTANTS, type Penalties, sizeOf, TrainedWeights } from './trainedWeights.js';

/** Draws what a layer of dropout multiplies a batch by: `shape` is [batch, height, width, channels]. */
export type DrawMask = (layer: string, shape: readonly [number, ...ImageShape]) => Float32Array;

/** Options of {@link TrainingPlan}. */
export interface TrainingPlanOptions {
  readonly penalties?: Penalties;
  /** Default 1. */
  readonly threads?: number;
  /**
   * What stays from the forward to the backward pass; the results do not depend on it. Default: 'maps' as long as those of the largest
   * batch take at most 512 MB.
   */
  readonly keeps?: Keeps;
}

/** The program for one size of batch. */
interface SizedStep {
  readonly forward: readonly ReadyStep[];
  readonly backward: readonly ReadyStep[];
  readonly forwardCode: RunnableCode;
  readonly backwardCode: RunnableCode;
  readonly input: Buffer;
  readonly outputs: LoweredTraining['outputs'];
  readonly masks: LoweredTraining['masks'];
  /** Its tables and constants; maps are in the arena. */
  readonly blocks: readonly Block[];
}

const keyOf = (batch: number, shape: ImageShape): string => [batch, ...shape].join('x');

/** Where all maps take more, normalised ones are computed again in the backward pass: about 3 % of a step's time for a third of its memory. */
const MOST_KEPT = 2 ** 29;

/** The program of a step and the places of its buffers. */
interface Layout {
  readonly lowered: LoweredTraining;
  readonly memory: MemoryPlan;
  readonly steps: readonly Step[];
}

const graphOf = (model: tfl.LayersModel, shape: ImageShape): TrainingGraph =>
  foldForTraining(readModel(model, shape, 'training'));

/** Steps for batches of several sizes, all of which keep the same from the forward to the backward pass. */
function layOut(
  graph: TrainingGraph,
  buffers: TrainingBuffers,
  batches: readonly number[],
  machine: Machine,
  wanted?: Keeps,
): Layout[] {
  const tile = tileFor(graph.nodes.map(({ op }) => op));
  const largest = Math.max(...batches);
  const keeps = wanted ?? (mapBytes(graph, { batch: largest, tile }) <= MOST_KEPT ? 'maps' : 'sums');
  return batches.map((batch) => {
    const geometry = { machine, batch, tile };
    const lowered = lowerTraining(graph, buffers, geometry, { precision: 'fast', keeps });
    const { program, input, outputs, masks } = lowered;
    const always = [
      input,
      ...outputs.flatMap(({ value, gradient }) => [value, gradient]),
      ...masks.map(({ map }) => map.place.buffer),
    ];
    const steps = parallelSteps(program, machine);
    return { lowered, memory: planMemory(steps, always), steps };
  });
}

const arenaBytes = (layouts: readonly Layout[]): number => Math.max(...layouts.map(({ memory }) => memory.arenaBytes));

/** Bytes of the maps that the nodes of a graph make; a concatenation has none of its own. */
function mapBytes({ nodes }: TrainingGraph, { batch, tile }: { batch: number; tile: 3 | 4 }): number {
  return nodes.reduce(
    (sum, { op, shape }) =>
      op.kind === 'concat' ? sum : sum + shape.channels * tilesOf(shape, tile, batch).channelStride,
    0,
  );
}

/**
 * The memory that planned steps need here, without taking it.
 *
 * @param batches Images that are computed at once: every number that occurs.
 * @param shape [height, width, channels] of an image.
 * @param options As the plan is given them: each thread needs memory to work in, each penalty has its factors there.
 * @returns Bytes, to a page of WebAssembly.
 * @throws UnplannableError where a layer has no rule.
 */
export function trainingBytes(
  model: tfl.LayersModel,
  batches: readonly number[],
  shape: ImageShape,
  { threads = 1, penalties = new Map() }: Pick<TrainingPlanOptions, 'threads' | 'penalties'> = {},
): number {
  const machine = { vectors: detectEnvironment().relaxedSimd ? 6 : 4, threads: possibleThreads(threads) };
  const weights = new TrainedWeights(model, penalties);
  const { masters, gradients } = weights;
  const layouts = layOut(graphOf(model, shape), { masters, gradients }, batches, machine);
  const lasting = [...weights.buffers, ...layouts.flatMap(({ lowered }) => lowered.lasting)];
  const tables = layouts.map(({ memory }) => memory.tableBytes);
  const blocks = [...lasting.map(({ bytes }) => bytes), arenaBytes(layouts), ...tables];
  return blocks.reduce((sum, bytes) => sum + placedBytes(bytes), 0);
}

/** Writes values [batch, height, width, channels] into a map that begins at the start of `map`. */
function writeTiles(map: Float32Array, tiles: Tiles, channels: number, values: Float32Array): void {
  const { batch, height, width, channelStride } = tiles;
  let i = 0;
  for (let sample = 0; sample < batch; sample++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const place = placeOf(tiles, { sample, y, x }) / 4;
        for (let c = 0; c < channels; c++) map[place + (c * channelStride) / 4] = values[i++] ?? 0;
      }
    }
  }
}

const noMasks: DrawMask = (layer) => {
  throw new Error(`Layer ${layer} needs a mask in training.`);
};

/** Trains a model without its framework; weights and moments live in the plan until they are read back. */
export class TrainingPlan {
  private readonly engine: Engine;
  private readonly store: TrainedWeights;
  private readonly begin: readonly ReadyStep[];
  private readonly update: readonly ReadyStep[];
  private readonly beginCode: RunnableCode;
  private readonly updateCode: RunnableCode;
  private readonly sizes = new Map<string, SizedStep>();
  private current: SizedStep | null = null;
  private arena: Block | null = null;

  /** @throws UnplannableError for a constraint that has no rule. */
  constructor(
    private readonly model: tfl.LayersModel,
    binaries: KernelBinaries,
    private readonly options: TrainingPlanOptions = {},
  ) {
    const { penalties = new Map(), threads = 1 } = options;
    this.store = new TrainedWeights(model, penalties);
    this.engine = new Engine(binaries, threads);
    const { engine, store } = this;
    for (const buffer of store.buffers) this.place(buffer);
    this.begin = engine.ready(parallelSteps(store.clearProgram(), engine));
    this.update = engine.ready(parallelSteps(store.updateProgram(), engine));
    [this.beginCode, this.updateCode] = [engine.compile(this.begin), engine.compile(this.update)];
  }

  /** Bytes of the memory in use. */
  get bytes(): number {
    return this.engine.bytes;
  }

  /** Why fewer threads compute than were asked for, or null as long as nothing went wrong. */
  get threadProblem(): string | null {
    return this.engine.threadProblem;
  }

  /** Ends the threads; the plan cannot be used any more. */
  dispose(): void {
    this.engine.stop();
  }

  /** Puts the values of weights into the plan. */
  load(weights: WeightValues): void {
    for (const [variable, master] of this.store.masters) {
      const values = weights.get(variable);
      if (values !== undefined) this.write(master, values);
    }
  }

  /** Puts the moments of Adam into the plan; those that are left out are zeros. */
  loadMoments(mean: WeightValues, square: WeightValues): void {
    for (const { variable, mean: m, square: s } of this.store.trained) {
      this.write(m, mean.get(variable) ?? new Float32Array(sizeOf(variable)));
      this.write(s, square.get(variable) ?? new Float32Array(sizeOf(variable)));
    }
  }

  /** The values of all weights, as copies. */
  weights(): Map<tfl.LayerVariable, Float32Array> {
    return new Map(
      [...this.store.masters].map(([variable, buffer]) => [variable, this.valuesOf(buffer, variable).slice()]),
    );
  }

  /** The gradients of the last step, or the moments of Adam, as copies. */
  state(kind: 'gradient' | 'mean' | 'square'): Map<tfl.LayerVariable, Float32Array> {
    return new Map(this.store.trained.map((own) => [own.variable, this.valuesOf(own[kind], own.variable).slice()]));
  }

  /**
   * Computes the model's outputs of a batch and the moving statistics.
   *
   * @param images `batch * height * width * channels` values.
   * @param draw Draws the masks of layers of dropout.
   * @returns The outputs, [batch, height, width, channels] each, as views that are valid until the next call.
   * @throws UnplannableError where a layer has no rule; OutOfMemoryError.
   */
  forward(images: Float32Array, batch: number, shape: ImageShape, draw: DrawMask = noMasks): OutputMap[] {
    const step = this.stepFor(batch, shape);
    const { engine } = this;
    engine.floats(step.input.address, images.length).set(images);
    for (const { layer, map } of step.masks) {
      const { tiles, channels, place } = map;
      const values = draw(layer, [batch, tiles.height, tiles.width, channels]);
      writeTiles(engine.floats(place.buffer.address, place.buffer.bytes / 4), tiles, channels, values);
    }
    step.forwardCode.run();
    this.current = step;
    return step.outputs.map(({ value, shape: { height, width, channels } }) => ({
      data: engine.floats(value.address, value.bytes / 4),
      shape: [height, width, channels],
    }));
  }

  /**
   * Computes the gradients of all weights from those of the outputs.
   *
   * @param accumulate Whether they are added to those of the last backward pass. Default false.
   */
  backward(
    gradients: readonly Float32Array[],
    { accumulate = false }: { readonly accumulate?: boolean | undefined } = {},
  ): void {
    const { current } = this;
    if (current === null) throw new Error('A backward pass follows a forward pass.');
    for (const [i, { gradient }] of current.outputs.entries()) {
      const values = gradients[i];
      if (values === undefined) throw new Error('Every output needs a gradient.');
      this.engine.floats(gradient.address, values.length).set(values);
    }
    if (!accumulate) this.beginCode.run();
    current.backwardCode.run();
    this.current = null;
  }

  /** Takes one step of Adam with the gradients that stand there; then the constraints hold. */
  adam({ rate, correction, beta1, beta2, epsilon }: AdamStep): void {
    this.engine
      .floats(this.store.constants.address, CONSTANTS)
      .set([rate, correction, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, 0]);
    this.updateCode.run();
    for (const { variable, master, constrain } of this.store.trained) constrain?.(this.valuesOf(master, variable));
  }

  /** The steps for a profile. */
  stepsFor(batch: number, shape: ImageShape): readonly ReadyStep[] {
    const { forward, backward } = this.stepFor(batch, shape);
    return [...forward, ...this.begin, ...backward, ...this.update];
  }

  /**
   * Makes the steps for batches of these sizes, with memory for the largest: one batch is under way at a time.
   *
   * @throws UnplannableError where a layer has no rule; InvalidArgumentError where statistics would be those of one value; OutOfMemoryError.
   */
  prepare(batches: readonly number[], shape: ImageShape): void {
    const missing = batches.filter((batch) => !this.sizes.has(keyOf(batch, shape)));
    if (missing.length === 0) return;
    const graph = graphOf(this.model, shape);
    for (const batch of missing) requireStatistics(graph, batch);
    const { masters, gradients } = this.store;
    const layouts = layOut(graph, { masters, gradients }, missing, this.engine, this.options.keeps);
    const arena = this.arenaFor(arenaBytes(layouts));
    for (const [i, batch] of missing.entries()) {
      const layout = layouts[i];
      if (layout !== undefined) this.sizes.set(keyOf(batch, shape), this.build(layout, arena));
    }
  }

  private stepFor(batch: number, shape: ImageShape): SizedStep {
    this.prepare([batch], shape);
    const step = this.sizes.get(keyOf(batch, shape));
    if (step === undefined) throw new Error('A step that was prepared is missing.');
    return step;
  }

  private build({ lowered, memory, steps }: Layout, arena: Block): SizedStep {
    const { engine } = this;
    const { forwardSteps, input, outputs, masks, lasting } = lowered;
    const constants = lasting.map((buffer) => this.place(buffer));
    for (const [buffer, offset] of memory.arena) buffer.address = arena.start + offset;
    const table = engine.allocate(memory.tableBytes);
    for (const [buffer, offset] of memory.tables) buffer.address = table.start + offset;
    for (const buffer of memory.tables.keys()) engine.write(buffer);
    const ready = engine.ready(steps);
    const forward = ready.slice(0, forwardSteps);
    const backward = ready.slice(forwardSteps);
    const [forwardCode, backwardCode] = [engine.compile(forward), engine.compile(backward)];
    const blocks = [...constants, table];
    return { forward, backward, forwardCode, backwardCode, input, outputs, masks, blocks };
  }

  /** Batches of all sizes work in the same place; where it is too small it is given back, and the steps that are tied to it. */
  private arenaFor(bytes: number): Block {
    const { engine, arena } = this;
    if (arena !== null && arena.end - arena.start >= bytes) return arena;
    for (const { forwardCode, backwardCode, blocks } of this.sizes.values()) {
      forwardCode.drop();
      backwardCode.drop();
      for (const block of blocks) engine.free(block);
    }
    this.sizes.clear();
    this.current = null;
    this.arena = null;
    if (arena !== null) engine.free(arena);
    this.arena = engine.allocate(bytes);
    return this.arena;
  }

  /** Gives a buffer a place of its own. */
  private place(buffer: Buffer): Block {
    const block = this.engine.allocate(buffer.bytes);
    buffer.address = block.start;
    this.engine.write(buffer);
    return block;
  }

  private write(buffer: Buffer, values: Float32Array): void {
    this.engine.floats(buffer.address, values.length).set(values);
  }

  private valuesOf({ address }: Buffer, variable: tfl.LayerVariable): Float32Array {
    return this.engine.floats(address, sizeOf(variable));
  }
}
