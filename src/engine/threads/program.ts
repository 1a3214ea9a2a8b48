/** What a pool runs, as the caller gives it, as one thread runs it, and as it travels to the workers. */

/** One call of a kernel, by its place in the pool's list, with 32-bit arguments. */
export interface PoolCall {
  readonly kernel: number;
  readonly args: readonly number[];
}

/** Calls that run in order. */
export type PoolTask = readonly PoolCall[];

/** `program[phase][task][call]`. The tasks of a phase run at the same time on any thread; a phase begins when the one before is done. */
export type PoolProgram = readonly (readonly PoolTask[])[];

export type Kernel = (...args: number[]) => void;

interface ReadyCall {
  readonly kernel: number;
  readonly run: Kernel;
  readonly args: readonly number[];
}

export interface ReadyProgram {
  /** The tasks of all phases. */
  readonly tasks: readonly (readonly ReadyCall[])[];
  /** First task of each phase. */
  readonly starts: readonly number[];
  /** Behind the last task of each phase. */
  readonly ends: readonly number[];
  /** Some phase has work for two threads. */
  readonly isParallel: boolean;
}

export function readyProgram(program: PoolProgram, kernels: readonly Kernel[]): ReadyProgram {
  const tasks: ReadyCall[][] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  for (const phase of program) {
    starts.push(tasks.length);
    for (const task of phase) {
      tasks.push(
        task.map(({ kernel, args }) => {
          const run = kernels[kernel];
          if (run === undefined) throw new Error(`A program calls kernel ${kernel}; the pool has ${kernels.length}.`);
          return { kernel, run, args: [...args] };
        }),
      );
    }
    ends.push(tasks.length);
  }
  return { tasks, starts, ends, isParallel: program.some(({ length }) => length > 1) };
}

/** Phases; for each its tasks; for each of them its calls; for each of them kernel, number of arguments, arguments. */
export function encodeProgram(program: PoolProgram): Int32Array {
  let length = 1;
  for (const phase of program) {
    length++;
    for (const task of phase) {
      length++;
      for (const { args } of task) length += 2 + args.length;
    }
  }
  // Shared, so that all workers read the same bytes.
  const code = new Int32Array(new SharedArrayBuffer(length * 4));
  let at = 0;
  code[at++] = program.length;
  for (const phase of program) {
    code[at++] = phase.length;
    for (const task of phase) {
      code[at++] = task.length;
      for (const { kernel, args } of task) {
        code[at++] = kernel;
        code[at++] = args.length;
        for (const arg of args) code[at++] = arg;
      }
    }
  }
  return code;
}

/** Runs an encoded program on this thread. */
export function runEncoded(code: Int32Array, kernels: readonly Kernel[]): void {
  let at = 1;
  for (let phase = code[0] ?? 0; phase > 0; phase--) {
    for (let task = code[at++] ?? 0; task > 0; task--) {
      for (let call = code[at++] ?? 0; call > 0; call--) {
        const run = kernels[code[at] ?? 0];
        const from = at + 2;
        at = from + (code[at + 1] ?? 0);
        run?.(...code.subarray(from, at));
      }
    }
  }
}
