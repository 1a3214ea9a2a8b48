/** A program: calls of kernels over buffers whose places are not known yet. */
import { KERNELS, type KernelArguments, type KernelName } from './contract.js';

/** A place in a buffer. */
export class Place {
  constructor(
    readonly buffer: Buffer,
    readonly offset: number,
  ) {}

  plus(bytes: number): Place {
    return new Place(this.buffer, this.offset + bytes);
  }
}

/** What a table or a call holds: a number, or the address of a place. */
export type Word = number | Place;

/** Places at equal distances, one word of a table each. */
export class Run {
  constructor(
    readonly first: Place,
    readonly count: number,
    /** Bytes from one to the next. */
    readonly stride: number,
  ) {}
}

/** Memory that a program uses. */
export class Buffer {
  /** Address, once the memory is planned. */
  address = Number.NaN;

  constructor(
    readonly bytes: number,
    /**
     * `arena`: shares memory with buffers of other steps; `table`: holds `content` from the start; `weights`: those of the
     * model, and what is packed of them once, shared by the programs of all sizes. `outside`: a tensor, at an address of its own in each run.
     */
    readonly kind: 'arena' | 'table' | 'weights' | 'outside',
    readonly content?: Int32Array | Float32Array | readonly (Word | Run)[] | (() => Int32Array | Float32Array),
  ) {}

  /** Buffers whose addresses it holds. */
  get inner(): readonly Buffer[] {
    const { content } = this;
    if (!isWords(content)) return [];
    return content.flatMap((word) => {
      if (typeof word === 'number') return [];
      return word instanceof Run ? word.first.buffer : word.buffer;
    });
  }

  at(offset = 0): Place {
    return new Place(this, offset);
  }
}

const isWords = (content: Buffer['content']): content is readonly (Word | Run)[] => Array.isArray(content);

/** One call. */
export interface Call {
  readonly kernel: KernelName;
  readonly args: Readonly<Record<string, Word>>;
}

/** Calls that run in order, on one thread. */
export type Task = readonly Call[];

/** Tasks that may run at the same time. */
export type Phase = readonly Task[];

/** Calls that belong together in a profile. */
export interface Step {
  /** The layer that it computes. */
  readonly name: string;
  /** What it does, for a profile. */
  readonly kind: string;
  /** Multiply-accumulates that the kernels really do, padding included. */
  readonly macs: number;
  /** Each begins when the one before is done. */
  readonly phases: readonly Phase[];
}

/** All calls of a step. */
export const callsOf = ({ phases }: Step): Call[] => phases.flat(2);

/** The arguments of a kernel, places among them. */
export type Args<Name extends KernelName> = Readonly<Record<keyof KernelArguments<Name>, Word>>;

/** The arguments of a call in the order of its kernel's parameters. */
export const wordsOf = ({ kernel, args }: Call): Word[] =>
  KERNELS[kernel].map((name) => {
    const word = args[name];
    if (word === undefined) throw new Error(`Kernel ${kernel} got no ${name}.`);
    return word;
  });

/** Collects steps. */
export class Program {
  readonly steps: Step[] = [];
  private phases: Phase[] = [];
  private task: Call[] = [];
  private isForked = false;

  call<Name extends KernelName>(kernel: Name, args: Args<Name>): void {
    this.task.push({ kernel, args });
  }

  /** What the functions call may run at the same time; within another fork they follow each other. */
  fork(tasks: readonly (() => void)[]): void {
    if (this.isForked) {
      for (const write of tasks) write();
      return;
    }
    this.endTask();
    this.isForked = true;
    const phase = tasks.map((write) => {
      write();
      const { task } = this;
      this.task = [];
      return task;
    });
    this.isForked = false;
    const filled = phase.filter((task) => task.length > 0);
    if (filled.length > 0) this.phases.push(filled);
  }

  /** Ends a step with the calls since the last one. */
  endStep(name: string, kind: string, macs = 0): void {
    this.endTask();
    if (this.phases.length === 0) return;
    this.steps.push({ name, kind, macs, phases: this.phases });
    this.phases = [];
  }

  private endTask(): void {
    if (this.task.length > 0) this.phases.push([this.task]);
    this.task = [];
  }
}

/** Buffers that a step reads or writes, those in its tables included. */
export function buffersOf(step: Step): Set<Buffer> {
  const found = new Set<Buffer>();
  const visit = (buffer: Buffer): void => {
    // Many calls share long tables: each is looked through once.
    if (found.has(buffer)) return;
    found.add(buffer);
    buffer.inner.forEach(visit);
  };
  for (const { args } of callsOf(step)) {
    for (const word of Object.values(args)) if (typeof word !== 'number') visit(word.buffer);
  }
  return found;
}
