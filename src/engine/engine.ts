/** Kernels at work in a memory: allocation, tables, calls. */

import { detectEnvironment } from '../runtime/environment.js';
import type { KernelBinaries } from '../runtime/providers.js';
import { CONTRACT, KERNEL_NAMES, KERNEL_NUMBERS, type KernelName } from './contract.js';
import { type Block, type Heap, isShared, OwnHeap } from './heap.js';
import { planMemory } from './memory.js';
import {
  type Buffer,
  buffersOf,
  type Call,
  callsOf,
  type Program,
  Run,
  type Step,
  type Word,
  wordsOf,
} from './program.js';
import { type Kernel, newCode, type ProgramCode, readyProgram, runTask } from './threads/program.js';
import { ThreadPool } from './threads/threadPool.js';

/** A call with its addresses. */
interface ReadyCall {
  readonly kernel: number;
  readonly run: Kernel;
  readonly args: readonly number[];
}

/** One step of a program that can run. */
export interface ReadyStep {
  readonly name: string;
  readonly kind: string;
  readonly macs: number;
  readonly calls: readonly ReadyCall[];
  /** The same calls, by phase and task. */
  readonly phases: readonly (readonly (readonly ReadyCall[])[])[];
}

/** Memory sections of a module say that the memory is shared; the byte of the limits of its one import. */
function forPlainMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const copy = binary.slice();
  // The import: "env" "memory", kind 2, limits 3 (shared with a maximum).
  const name = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2];
  const at = copy.findIndex((_, i) => name.every((byte, j) => copy[i + j] === byte));
  copy[at + name.length] = 1;
  return copy;
}

/** A program that can run. */
export interface RunnableCode {
  run(): void;
  /** Lets it be forgotten; it cannot run any more. */
  drop(): void;
}

/** Workers hold their memory: those of an engine that nobody has any more end here. */
const forgotten = /* @__PURE__ */ new FinalizationRegistry<ThreadPool>((pool) => pool.stop());

/** A module in a memory. */
export class Engine {
  /** Vectors of a register tile. */
  readonly vectors: number;
  /** Threads that programs are made for. */
  readonly threads: number;
  /** The instructions in use. */
  readonly simd: 'relaxed' | 'simd128';
  private readonly heap: Heap;
  private readonly kernels: Readonly<Record<string, Kernel>>;
  private readonly blocks = new Set<Block>();
  private readonly pool: ThreadPool | null;
  private readonly asked: number;

  /**
   * @param threads The caller and `threads - 1` workers, where memory can be shared.
   * @param heap The memory to work in; left out: one of its own.
   */
  constructor(binaries: KernelBinaries, threads: number, heap?: Heap) {
    this.asked = threads;
    const { relaxedSimd } = detectEnvironment();
    this.heap = heap ?? new OwnHeap(threads > 1);
    const { memory } = this.heap;
    const shared = isShared(memory);
    const binary = relaxedSimd ? binaries.relaxed : binaries.base;
    this.simd = relaxedSimd ? 'relaxed' : 'simd128';
    this.vectors = relaxedSimd ? 6 : 4;
    this.threads = shared ? threads : 1;
    const module = new WebAssembly.Module(shared ? binary : forPlainMemory(binary));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const { contract } = exports;
    if (!(contract instanceof WebAssembly.Global) || contract.value !== CONTRACT) {
      throw new Error(
        'The binaries of the kernels were written for other parameters than those of this source. Run: npm run kernels.',
      );
    }
    this.kernels = exports as Record<string, Kernel>;
    this.pool = this.threads > 1 ? ThreadPool.start({ module, memory, kernels: KERNEL_NAMES, threads }) : null;
    if (this.pool !== null) forgotten.register(this, this.pool);
  }

  /** Bytes of the memory; it never shrinks. */
  get bytes(): number {
    return this.heap.memory.buffer.byteLength;
  }

  /**
   * Takes a block of memory.
   *
   * @throws OutOfMemoryError where the memory cannot grow so far; nothing is changed then.
   */
  allocate(bytes: number): Block {
    const block = this.heap.allocate(bytes);
    this.blocks.add(block);
    return block;
  }

  /** Gives a block back; where a lost thread may still write to it, nobody gets it any more. */
  free(block: Block): void {
    if (this.blocks.delete(block) && !this.mayStillWrite) this.heap.free(block);
  }

  freeAll(): void {
    for (const block of this.blocks) this.free(block);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.heap.memory.buffer, address, length);
  }

  /** Writes what a buffer holds from the start. */
  write({ address, content, bytes }: Buffer): void {
    if (content === undefined) return;
    const values = typeof content === 'function' ? content() : content;
    const words = values instanceof Float32Array || values instanceof Int32Array ? values : addressesIn(values);
    if (4 * words.length > bytes) throw new Error(`A table of ${bytes} bytes got ${words.length} words.`);
    const { buffer } = this.heap.memory;
    const target = words instanceof Float32Array ? Float32Array : Int32Array;
    new target(buffer, address, words.length).set(words);
  }

  /** The calls of steps whose buffers have their addresses. */
  ready(steps: readonly Step[]): ReadyStep[] {
    return steps.map(({ name, kind, macs, phases }) => {
      const ready = phases.map((phase) =>
        phase.map((task) =>
          task.map((call) => ({
            kernel: KERNEL_NUMBERS[call.kernel],
            run: this.kernel(call.kernel),
            args: argumentsOf(call),
          })),
        ),
      );
      return { name, kind, macs, phases: ready, calls: ready.flat(2) };
    });
  }

  /** Words for a program whose arguments change between runs. */
  newCode(length: number): ProgramCode {
    return newCode(length, this.pool !== null);
  }

  /** Makes such a program runnable, for all threads. */
  adopt(code: ProgramCode): RunnableCode {
    const { pool } = this;
    if (pool === null) {
      const { tasks } = readyProgram(code, KERNEL_NAMES.length);
      const kernels = KERNEL_NAMES.map((name) => this.kernel(name));
      const under = { kernel: 0 };
      return {
        run: () => {
          for (const task of tasks) runTask(code, task, kernels, under);
        },
        drop: () => {},
      };
    }
    const id = pool.adopt(code);
    return { run: () => pool.run(id), drop: () => pool.drop(id) };
  }

  /** Makes steps one runnable whole, for all threads. */
  compile(steps: readonly ReadyStep[]): RunnableCode {
    const { pool } = this;
    if (pool === null) return { run: () => runSteps(steps), drop: () => {} };
    const id = pool.define(steps.flatMap(({ phases }) => phases));
    return { run: () => pool.run(id), drop: () => pool.drop(id) };
  }

  /** Why fewer threads compute than were asked for, or null as long as nothing went wrong. */
  get threadProblem(): string | null {
    if (this.pool !== null) return this.pool.problem;
    return this.asked > 1 ? 'memory cannot be shared among threads here' : null;
  }

  /** Whether threads have ended that programs need. */
  get isLost(): boolean {
    return this.pool?.isEnded ?? false;
  }

  /** Whether a thread was lost in the middle of a run: it may still write to what the run wrote to. */
  get mayStillWrite(): boolean {
    return this.pool?.mayStillWrite ?? false;
  }

  /** Ends the threads. */
  stop(): void {
    this.pool?.stop();
  }

  private kernel(name: KernelName): Kernel {
    const run = this.kernels[name];
    if (run === undefined) throw new Error(`The binary has no kernel ${name}.`);
    return run;
  }

  /** Places a program that is run once, step by step, and runs it; contents of its arena are written before the first step that reads them. */
  runOnce(program: Program): void {
    const { arena, arenaBytes } = planMemory(program.steps, []);
    if (arenaBytes === 0) return;
    const block = this.allocate(arenaBytes);
    try {
      for (const [buffer, offset] of arena) buffer.address = block.start + offset;
      const written = new Set<Buffer>();
      for (const step of program.steps) {
        for (const buffer of buffersOf(step)) {
          if (buffer.kind !== 'arena' || written.has(buffer)) continue;
          written.add(buffer);
          this.write(buffer);
        }
        for (const call of callsOf(step)) this.kernel(call.kernel)(...argumentsOf(call));
      }
    } finally {
      this.free(block);
    }
  }
}

function addressOf(word: Word): number {
  if (typeof word === 'number') return word;
  const { buffer, offset } = word;
  if (Number.isNaN(buffer.address)) throw new Error('A buffer of the plan has no address.');
  return buffer.address + offset;
}

/** The words of a table. */
function addressesIn(content: readonly (Word | Run)[]): number[] {
  const addresses: number[] = [];
  for (const word of content) {
    if (!(word instanceof Run)) {
      addresses.push(addressOf(word));
      continue;
    }
    const first = addressOf(word.first);
    for (let i = 0; i < word.count; i++) addresses.push(first + i * word.stride);
  }
  return addresses;
}

const argumentsOf = (call: Call): number[] => wordsOf(call).map(addressOf);

/** Runs steps one behind the other. */
function runSteps(steps: readonly ReadyStep[]): void {
  for (const { calls } of steps) for (const { run, args } of calls) run(...args);
}
