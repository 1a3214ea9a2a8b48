/** Programs whose memory is given anew for each run: images and filters lie where they are, everything else in a block of the moment. */
import { KERNEL_NUMBERS } from './contract.js';
import type { Engine, RunnableCode } from './engine.js';
import type { Block } from './heap.js';
import { type MemoryPlan, planMemory } from './memory.js';
import { parallelSteps } from './parallel.js';
import { type Buffer, type Program, type Step, type Word, wordsOf } from './program.js';
import { programWords } from './threads/program.js';

/** Words of the code that hold an address in a buffer, and how far behind its start. */
interface Uses {
  readonly words: Uint32Array;
  readonly offsets: Uint32Array;
}

const usesOf = (found: readonly (readonly [word: number, offset: number])[]): Uses => ({
  words: Uint32Array.from(found, ([word]) => word),
  offsets: Uint32Array.from(found, ([, offset]) => offset),
});

function move(code: Int32Array, { words, offsets }: Uses, start: number): void {
  for (let i = 0; i < words.length; i++) code[words[i] ?? 0] = start + (offsets[i] ?? 0);
}

/** A program at a place that changes. */
export class MovableProgram {
  /** Bytes of the block that a run needs. */
  readonly arenaBytes: number;
  private readonly code: Int32Array;
  private readonly runnable: RunnableCode;
  private readonly tables: Block;
  private readonly arena: Uses;
  /** Tables that hold addresses of the arena: they follow it. */
  private readonly moving: readonly Buffer[];
  private readonly arenaOffsets: ReadonlyMap<Buffer, number>;
  private readonly outside = new Map<Buffer, Uses>();
  private start = Number.NaN;

  private constructor(
    private readonly engine: Engine,
    steps: readonly Step[],
    { arena, arenaBytes, tables, tableBytes }: MemoryPlan,
  ) {
    this.arenaBytes = arenaBytes;
    this.arenaOffsets = arena;
    this.tables = engine.allocate(tableBytes);
    for (const [buffer, offset] of tables) buffer.address = this.tables.start + offset;
    const isMoving = ({ inner }: Buffer) => inner.some(({ kind }) => kind === 'arena');
    this.moving = [...tables.keys()].filter(isMoving);
    for (const buffer of tables.keys()) if (!this.moving.includes(buffer)) engine.write(buffer);
    const inArena: [number, number][] = [];
    const outside = new Map<Buffer, [number, number][]>();
    /** The word that stands `index` words behind the start of the code. */
    const place = (word: Word, index: number): number => {
      if (typeof word === 'number') return word;
      const { buffer, offset } = word;
      const at = arena.get(buffer);
      if (at !== undefined) inArena.push([index, at + offset]);
      else if (buffer.kind === 'outside') {
        const uses = outside.get(buffer) ?? [];
        uses.push([index, offset]);
        outside.set(buffer, uses);
      } else return buffer.address + offset;
      return 0;
    };
    const phases = steps.flatMap((step) => step.phases);
    const words = programWords(phases, (call, all) => {
      const args = wordsOf(call);
      all.push(KERNEL_NUMBERS[call.kernel], args.length);
      for (const word of args) all.push(place(word, all.length));
    });
    this.code = engine.newCode(words.length);
    this.code.set(words);
    this.runnable = engine.adopt(this.code);
    this.arena = usesOf(inArena);
    for (const [buffer, uses] of outside) this.outside.set(buffer, usesOf(uses));
  }

  /**
   * Makes a program ready.
   *
   * @param mostBytes That its tables may take.
   * @returns null where they would take more.
   * @throws OutOfMemoryError where they find no place; nothing is taken then.
   */
  static place(engine: Engine, program: Program, mostBytes: number): MovableProgram | null {
    const steps = parallelSteps(program, engine);
    const memory = planMemory(steps, []);
    return memory.tableBytes > mostBytes ? null : new MovableProgram(engine, steps, memory);
  }

  /** Bytes that it keeps between runs. */
  get bytes(): number {
    return this.tables.end - this.tables.start;
  }

  /**
   * Runs the program.
   *
   * @param arena Start of a block of `arenaBytes`; what stands there is lost.
   * @param places Addresses of the buffers outside.
   */
  run(arena: number, places: ReadonlyMap<Buffer, number>): void {
    const { engine, code } = this;
    if (arena !== this.start) {
      this.start = arena;
      move(code, this.arena, arena);
      for (const [buffer, offset] of this.arenaOffsets) buffer.address = arena + offset;
      for (const buffer of this.moving) engine.write(buffer);
    }
    for (const [buffer, uses] of this.outside) {
      const address = places.get(buffer);
      if (address === undefined) throw new Error('A tensor of a program has no address.');
      if (address === buffer.address) continue;
      buffer.address = address;
      move(code, uses, address);
    }
    this.runnable.run();
  }

  /** Gives its memory back; it cannot run any more. */
  dispose(): void {
    this.runnable.drop();
    this.engine.free(this.tables);
  }
}
