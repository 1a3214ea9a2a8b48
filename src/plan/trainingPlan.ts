/** A training step as one list of kernel calls over one memory: forward, backward, and the update of all weights. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { type Block, Engine, type ReadyStep } from '../engine/engine.js';
import type { Machine } from '../engine/lower/context.js';
import { type MemoryPlan, planMemory } from '../engine/memory.js';
import { parallelSteps } from '../engine/parallel.js';
import { Buffer, Program, type Step } from '../engine/program.js';
import { roundUp } from '../engine/tiles.js';
import type { AdamStep } from '../optimizers/index.js';
import type { KernelBinaries } from '../runtime/providers.js';
import { readModel } from './graph/readModel.js';
import { foldForTraining } from './graph/training.js';
import type { ImageShape, OutputMap, WeightValues } from './inferencePlan.js';
import { type Keeps, type LoweredTraining, lowerTraining, type TrainingBuffers } from './lower/training/index.js';
import { tileFor } from './tileFor.js';

/** A penalty on a weight: l1 |w| + l2 w^2. */
export interface Penalty {
  readonly l1: number;
  readonly l2: number;
}

/** What a plan keeps of one weight that is trained. */
interface Trained {
  readonly variable: tfl.LayerVariable;
  readonly master: Buffer;
  readonly gradient: Buffer;
  readonly mean: Buffer;
  readonly square: Buffer;
}

/** The program for one size of batch. */
interface SizedStep {
  readonly forward: readonly ReadyStep[];
  readonly backward: readonly ReadyStep[];
  readonly runForward: () => void;
  readonly runBackward: () => void;
  readonly input: Buffer;
  readonly outputs: LoweredTraining['outputs'];
}

const CONSTANTS = 8;

const sizeOf = (variable: tfl.LayerVariable): number =>
  variable.shape.reduce<number>((size, length) => size * (length ?? 1), 1);

/** From this size of all maps on, normalised ones are computed again in the backward pass: about 3 % of a step's time for a third of its memory. */
const MOST_KEPT = 2 ** 29;

/** The program of a step and the places of its buffers. */
function layOut(
  model: tfl.LayersModel,
  buffers: TrainingBuffers,
  batch: number,
  shape: ImageShape,
  { vectors, threads }: Machine,
): { lowered: ReturnType<typeof lowerTraining>; memory: MemoryPlan; steps: readonly Step[] } {
  const graph = foldForTraining(readModel(model, shape));
  const geometry = { machine: { vectors, threads }, batch, tile: tileFor(graph.nodes.map(({ op }) => op)) };
  const attempt = (keeps: Keeps) => {
    const lowered = lowerTraining(graph, buffers, geometry, { precision: 'fast', keeps });
    const { program, input, outputs } = lowered;
    const always = [input, ...outputs.flatMap(({ value, gradient }) => [value, gradient])];
    const steps = parallelSteps(program, threads);
    return { lowered, memory: planMemory(steps, always), steps };
  };
  const all = attempt('maps');
  return all.memory.arenaBytes <= MOST_KEPT ? all : attempt('sums');
}

/**
 * The memory that a planned step needs, without taking it.
 *
 * @returns Bytes.
 * @throws UnplannableError where a layer has no rule.
 */
export function trainingBytes(model: tfl.LayersModel, batch: number, shape: ImageShape, threads = 1): number {
  const keep = (variable: tfl.LayerVariable) => new Buffer(roundUp(4 * sizeOf(variable), 16), 'weights');
  const masters = new Map(model.weights.map((variable) => [variable, keep(variable)]));
  const gradients = new Map(model.trainableWeights.map((variable) => [variable, keep(variable)]));
  const { lowered, memory } = layOut(model, { masters, gradients }, batch, shape, { vectors: 6, threads });
  const total = (buffers: Iterable<Buffer>) => [...buffers].reduce((sum, { bytes }) => sum + bytes, 0);
  // Besides the gradients, two moments.
  const weights = total(masters.values()) + 3 * total(gradients.values());
  return weights + total(lowered.lasting) + memory.arenaBytes + memory.tableBytes;
}

/** Trains a model without its framework; weights and moments live in the plan until they are read back. */
export class TrainingPlan {
  private readonly engine: Engine;
  private readonly masters = new Map<tfl.LayerVariable, Buffer>();
  private readonly trained: readonly Trained[];
  private readonly update: readonly ReadyStep[];
  private readonly runUpdate: () => void;
  private readonly constants: Buffer;
  private readonly sizes = new Map<string, SizedStep>();
  private current: SizedStep | null = null;
  private arena: Block | null = null;

  constructor(
    private readonly model: tfl.LayersModel,
    binaries: KernelBinaries,
    penalties: ReadonlyMap<tfl.LayerVariable, Penalty> = new Map(),
    threads = 1,
  ) {
    this.engine = new Engine(binaries, threads);
    for (const variable of model.weights) this.masters.set(variable, this.keep(4 * sizeOf(variable)));
    this.trained = model.trainableWeights.map((variable) => {
      const bytes = 4 * sizeOf(variable);
      const master = this.masters.get(variable);
      if (master === undefined) throw new Error(`The weight ${variable.name} does not belong to the model.`);
      return { variable, master, gradient: this.keep(bytes), mean: this.keep(bytes), square: this.keep(bytes) };
    });
    this.constants = this.keep(4 * CONSTANTS);
    this.update = this.engine.ready(parallelSteps(this.updateProgram(penalties), this.engine.threads));
    this.runUpdate = this.engine.compile(this.update);
  }

  /** Bytes of the memory in use. */
  get bytes(): number {
    return this.engine.bytes;
  }

  /** Ends the threads; the plan cannot be used any more. */
  dispose(): void {
    this.engine.stop();
  }

  /** Puts the values of weights into the plan. */
  load(weights: WeightValues): void {
    for (const [variable, master] of this.masters) {
      const values = weights.get(variable);
      if (values !== undefined) this.write(master, values);
    }
  }

  /** Puts the moments of Adam into the plan; those that are left out are zeros. */
  loadMoments(mean: WeightValues, square: WeightValues): void {
    for (const { variable, mean: m, square: s } of this.trained) {
      this.write(m, mean.get(variable) ?? new Float32Array(sizeOf(variable)));
      this.write(s, square.get(variable) ?? new Float32Array(sizeOf(variable)));
    }
  }

  /** The values of all weights, as copies. */
  weights(): Map<tfl.LayerVariable, Float32Array> {
    return new Map([...this.masters].map(([variable, buffer]) => [variable, this.copy(buffer, variable)]));
  }

  /** The gradients of the last step, or the moments of Adam, as copies. */
  state(kind: 'gradient' | 'mean' | 'square'): Map<tfl.LayerVariable, Float32Array> {
    return new Map(this.trained.map((own) => [own.variable, this.copy(own[kind], own.variable)]));
  }

  /**
   * Computes the model's outputs of a batch and the moving statistics.
   *
   * @param images `batch * height * width * channels` values.
   * @returns The outputs, [batch, height, width, channels] each, as views that are valid until the next call.
   * @throws UnplannableError where a layer has no rule; OutOfMemoryError.
   */
  forward(images: Float32Array, batch: number, shape: ImageShape): OutputMap[] {
    const step = this.stepFor(batch, shape);
    this.engine.floats(step.input.address, images.length).set(images);
    step.runForward();
    this.current = step;
    return step.outputs.map(({ value, shape: { height, width, channels } }) => ({
      data: this.engine.floats(value.address, value.bytes / 4),
      shape: [height, width, channels],
    }));
  }

  /** Computes the gradients of all weights from those of the outputs. */
  backward(gradients: readonly Float32Array[]): void {
    const { current } = this;
    if (current === null) throw new Error('A backward pass follows a forward pass.');
    for (const [i, { gradient }] of current.outputs.entries()) {
      const values = gradients[i];
      if (values === undefined) throw new Error('Every output needs a gradient.');
      this.engine.floats(gradient.address, values.length).set(values);
    }
    current.runBackward();
    this.current = null;
  }

  /** Takes one step of Adam with the gradients of the last backward pass. */
  adam({ rate, correction, beta1, beta2, epsilon }: AdamStep): void {
    this.engine
      .floats(this.constants.address, CONSTANTS)
      .set([rate, correction, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, 0]);
    this.runUpdate();
  }

  /** The steps for a profile. */
  stepsFor(batch: number, shape: ImageShape): readonly ReadyStep[] {
    const { forward, backward } = this.stepFor(batch, shape);
    return [...forward, ...backward, ...this.update];
  }

  private stepFor(batch: number, shape: ImageShape): SizedStep {
    const key = [batch, ...shape].join('x');
    const known = this.sizes.get(key);
    if (known !== undefined) return known;
    const made = this.build(batch, shape);
    this.sizes.set(key, made);
    return made;
  }

  private build(batch: number, shape: ImageShape): SizedStep {
    const { engine } = this;
    const gradients = new Map(this.trained.map(({ variable, gradient }) => [variable, gradient]));
    const { lowered, memory, steps } = layOut(this.model, { masters: this.masters, gradients }, batch, shape, engine);
    const { forwardSteps, input, outputs, lasting } = lowered;
    for (const buffer of lasting) {
      buffer.address = engine.allocate(buffer.bytes).start;
      engine.write(buffer);
    }
    const block = this.arenaFor(memory.arenaBytes);
    for (const [buffer, offset] of memory.arena) buffer.address = block.start + offset;
    const table = engine.allocate(memory.tableBytes);
    for (const [buffer, offset] of memory.tables) buffer.address = table.start + offset;
    for (const buffer of memory.tables.keys()) engine.write(buffer);
    const ready = engine.ready(steps);
    const forward = ready.slice(0, forwardSteps);
    const backward = ready.slice(forwardSteps);
    const [runForward, runBackward] = [engine.compile(forward), engine.compile(backward)];
    return { forward, backward, runForward, runBackward, input, outputs };
  }

  /** Batches of all sizes work in the same place, as one is under way at a time. */
  private arenaFor(bytes: number): Block {
    if (this.arena === null || this.arena.end - this.arena.start < bytes) this.arena = this.engine.allocate(bytes);
    return this.arena;
  }

  private updateProgram(penalties: ReadonlyMap<tfl.LayerVariable, Penalty>): Program {
    const program = new Program();
    for (const { variable, master, gradient, mean, square } of this.trained) {
      const penalty = penalties.get(variable);
      const { bytes } = master;
      if (penalty !== undefined) {
        const factors = new Buffer(16, 'weights', Float32Array.of(2 * penalty.l2, penalty.l1, 0, 0));
        factors.address = this.engine.allocate(factors.bytes).start;
        this.engine.write(factors);
        program.call('penalty', { weights: master.at(), gradient: gradient.at(), bytes, constants: factors.at() });
      }
      program.call('adam', {
        weights: master.at(),
        mean: mean.at(),
        square: square.at(),
        gradient: gradient.at(),
        bytes,
        constants: this.constants.at(),
      });
    }
    program.endStep('weights', 'adam');
    return program;
  }

  /** A buffer for the plan's whole life, of whole vectors. */
  private keep(bytes: number): Buffer {
    const buffer = new Buffer(roundUp(bytes, 16), 'weights');
    buffer.address = this.engine.allocate(buffer.bytes).start;
    return buffer;
  }

  private write(buffer: Buffer | undefined, values: Float32Array): void {
    if (buffer === undefined) throw new Error('A weight does not belong to the plan.');
    this.engine.floats(buffer.address, values.length).set(values);
  }

  private copy({ address }: Buffer, variable: tfl.LayerVariable): Float32Array {
    return this.engine.floats(address, sizeOf(variable)).slice();
  }
}
