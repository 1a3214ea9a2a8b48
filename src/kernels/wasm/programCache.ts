/** The kernels of this package at work in the heap of one tfjs backend: programs of convolutions, kept for the next call. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type * as tf from '@tensorflow/tfjs-core';
import type { ConvolutionProgram } from '../../engine/convolution.js';
import { Engine } from '../../engine/engine.js';
import type { Block } from '../../engine/heap.js';
import type { Machine } from '../../engine/lower/context.js';
import { MovableProgram } from '../../engine/movable.js';
import { OutOfMemoryError } from '../../runtime/errors.js';
import { threadsIn } from './embeddedBinary.js';
import { makeOutputs, TfjsHeap } from './heap.js';
import { kernelBinaries } from './kernelBinaries.js';

/** Programs that are kept, and bytes of the heap that their tables may take. */
export const MOST_PROGRAMS = 256;
export const MOST_TABLE_BYTES = 2 ** 25;
/** Bytes of the block that stays for programs that need no more: they always find it at the same place, where they are ready to run. */
const WORKPLACE_BYTES = 2 ** 22;

/** A program that is kept, and its tensors in order. */
interface Kept {
  readonly moving: MovableProgram;
  readonly tensors: ConvolutionProgram['tensors'];
}

/** Programs over the heap of one backend, those that were used last. */
export class ProgramCache {
  private readonly engine: Engine;
  /** null: a program whose tables are larger than all together may be. */
  private readonly programs = new Map<string, Kept | null>();
  private workplace: Block | null = null;

  constructor(private readonly backend: BackendWasm) {
    this.engine = new Engine(kernelBinaries, threadsIn(backend), new TfjsHeap(backend));
  }

  /** Threads that programs run on. */
  get threads(): number {
    return this.engine.threads;
  }

  /** Whether the threads have ended: no program can run any more. */
  get isLost(): boolean {
    return this.engine.isLost;
  }

  /** Ends the threads. */
  stop(): void {
    this.engine.stop();
  }

  /** Ends the threads and gives all memory back to which none of them may still write. */
  dispose(): void {
    this.engine.stop();
    this.engine.freeAll();
    this.programs.clear();
    this.workplace = null;
  }

  /** Programs that are kept. */
  get size(): number {
    return this.programs.size;
  }

  /** Bytes of the heap that stay taken between calls. */
  get bytes(): number {
    return this.tableBytes + (this.workplace === null ? 0 : WORKPLACE_BYTES);
  }

  /** Those of the tables. */
  get tableBytes(): number {
    return [...this.programs.values()].reduce((sum, kept) => sum + (kept?.moving.bytes ?? 0), 0);
  }

  /**
   * Runs a program on tensors and makes its output.
   *
   * @param key What distinguishes the program from all others.
   * @param make Writes the program.
   * @param inputs Its tensors but the last, in this backend's heap.
   * @param isSum Whether the program adds to the output, which then starts at zero.
   * @returns null where the tables of the program would be larger than MOST_TABLE_BYTES.
   * @throws OutOfMemoryError; nothing is left behind then.
   */
  run(
    key: string,
    make: (machine: Machine) => ConvolutionProgram,
    inputs: readonly tf.TensorInfo[],
    { shape, isSum }: { readonly shape: readonly number[]; readonly isSum: boolean },
  ): tf.TensorInfo | null {
    const { backend } = this;
    const kept = this.withRoom(key, () => this.programFor(key, make));
    if (kept === null) return null;
    const [output] = this.withRoom(key, () => makeOutputs(backend, [shape]));
    try {
      if (isSum) backend.typedArrayFromHeap(output).fill(0);
      this.start(
        key,
        kept,
        [...inputs, output].map(({ dataId }) => backend.getMemoryOffset(dataId)),
      );
    } catch (error) {
      this.disposeOutputs([output]);
      throw error;
    }
    return output;
  }

  /**
   * Runs a program without tables.
   *
   * @param addresses Of its tensors.
   * @throws OutOfMemoryError.
   */
  execute(key: string, make: (machine: Machine) => ConvolutionProgram, addresses: readonly number[]): void {
    const kept = this.withRoom(key, () => this.programFor(key, make));
    if (kept === null) throw new Error(`The program ${key} has tables.`);
    this.start(key, kept, addresses);
  }

  /** Disposes of the outputs of a run that has failed; where a lost thread may still write to them, nobody gets their memory. */
  disposeOutputs(outputs: readonly tf.TensorInfo[]): void {
    if (this.engine.mayStillWrite) return;
    for (const { dataId } of outputs) this.backend.disposeData(dataId);
  }

  /**
   * Takes a block of the heap for a while.
   *
   * @param use Gets its address.
   * @throws OutOfMemoryError.
   */
  withScratch<T>(bytes: number, use: (address: number) => T): T {
    const block = this.withRoom('', () => this.engine.allocate(bytes));
    try {
      return use(block.start);
    } finally {
      this.engine.free(block);
    }
  }

  /** Numbers of the heap, valid until the next allocation. */
  floats(address: number, length: number): Float32Array {
    return this.engine.floats(address, length);
  }

  /** The same in float64. */
  doubles(address: number, length: number): Float64Array {
    const { buffer, byteOffset } = this.engine.floats(address, 2 * length);
    return new Float64Array(buffer, byteOffset, length);
  }

  private start(key: string, { moving, tensors }: Kept, addresses: readonly number[]): void {
    const arena = this.withRoom(key, () => this.arenaFor(moving.arenaBytes));
    try {
      moving.run(arena.start, new Map(tensors.map((buffer, i) => [buffer, addresses[i]])));
    } finally {
      if (arena !== this.workplace) this.engine.free(arena);
    }
  }

  private arenaFor(bytes: number): Block {
    if (bytes > WORKPLACE_BYTES) return this.engine.allocate(bytes);
    this.workplace ??= this.engine.allocate(WORKPLACE_BYTES);
    return this.workplace;
  }

  /** Where memory does not suffice, all other programs and the workplace give way. */
  private withRoom<T>(key: string, take: () => T): T {
    try {
      return take();
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      const others = [...this.programs.keys()].filter((other) => other !== key);
      if (others.length === 0 && this.workplace === null) throw error;
      for (const other of others) this.drop(other);
      if (this.workplace !== null) this.engine.free(this.workplace);
      this.workplace = null;
      return take();
    }
  }

  private programFor(key: string, make: (machine: Machine) => ConvolutionProgram): Kept | null {
    const known = this.programs.get(key);
    this.programs.delete(key);
    const kept = known === undefined ? this.build(make) : known;
    // Behind all others: the first is the one that was used longest ago.
    this.programs.set(key, kept);
    while (this.programs.size > 1 && (this.size > MOST_PROGRAMS || this.tableBytes > MOST_TABLE_BYTES)) {
      const [oldest] = this.programs.keys();
      this.drop(oldest);
    }
    return kept;
  }

  private build(make: (machine: Machine) => ConvolutionProgram): Kept | null {
    const { program, tensors } = make(this.engine);
    const moving = MovableProgram.place(this.engine, program, MOST_TABLE_BYTES);
    return moving && { moving, tensors };
  }

  private drop(key: string): void {
    this.programs.get(key)?.moving.dispose();
    this.programs.delete(key);
  }
}

const caches = new WeakMap<BackendWasm, ProgramCache>();

/** Lets the threads end with the backend; they have read its heap. */
function endWith(backend: BackendWasm): void {
  const dispose = backend.dispose.bind(backend);
  backend.dispose = () => {
    caches.get(backend)?.stop();
    caches.delete(backend);
    dispose();
  };
}

/** The programs of a backend; made again where their threads were lost. */
export function programsOf(backend: BackendWasm): ProgramCache {
  const known = caches.get(backend);
  if (known?.isLost === false) return known;
  if (known === undefined) endWith(backend);
  known?.dispose();
  const made = new ProgramCache(backend);
  caches.set(backend, made);
  return made;
}
