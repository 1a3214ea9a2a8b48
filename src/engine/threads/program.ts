/** What a pool runs, as the caller gives it, and as one list of words that all threads read. */

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

/**
 * A program as words: phases; for each its tasks; for each of them its calls; for each of them kernel, number of arguments,
 * arguments. Arguments may be changed between runs: every thread reads them when it calls.
 */
export type ProgramCode = Int32Array;

/** Words that threads share, where they can. */
export const newCode = (length: number, shared: boolean): ProgramCode =>
  new Int32Array(shared ? new SharedArrayBuffer(length * 4) : new ArrayBuffer(length * 4));

/**
 * The words of a program.
 *
 * @param writeCall Adds a call's kernel, its number of arguments and these.
 */
export function programWords<Call>(
  program: readonly (readonly (readonly Call[])[])[],
  writeCall: (call: Call, words: number[]) => void,
): number[] {
  const words = [program.length];
  for (const phase of program) {
    words.push(phase.length);
    for (const task of phase) {
      words.push(task.length);
      for (const call of task) writeCall(call, words);
    }
  }
  return words;
}

export function encodeProgram(program: PoolProgram, shared: boolean): ProgramCode {
  const words = programWords(program, ({ kernel, args }, all) => {
    all.push(kernel, args.length);
    for (const arg of args) all.push(arg | 0);
  });
  const code = newCode(words.length, shared);
  code.set(words);
  return code;
}

export interface ReadyProgram {
  readonly code: ProgramCode;
  /** Where each task of all phases stands in the code. */
  readonly tasks: readonly number[];
  /** First task of each phase. */
  readonly starts: readonly number[];
  /** Behind the last task of each phase. */
  readonly ends: readonly number[];
  /** Some phase has work for two threads. */
  readonly isParallel: boolean;
}

/** Finds the tasks of a program. */
export function readyProgram(code: ProgramCode, kernels: number): ReadyProgram {
  const tasks: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let isParallel = false;
  let at = 1;
  for (let phase = 0; phase < code[0]; phase++) {
    starts.push(tasks.length);
    isParallel ||= code[at] > 1;
    for (let left = code[at++]; left > 0; left--) {
      tasks.push(at);
      for (let calls = code[at++]; calls > 0; calls--) {
        if (code[at] >= kernels) throw new Error(`A program calls kernel ${code[at]}; the pool has ${kernels}.`);
        at += 2 + code[at + 1];
      }
    }
    ends.push(tasks.length);
  }
  return { code, tasks, starts, ends, isParallel };
}

/** Arrays of every length, for the arguments of the call under way. */
const spare: number[][] = [];

/**
 * Runs one task on this thread.
 *
 * @param under Is told the kernel that is under way.
 */
export function runTask(code: ProgramCode, task: number, kernels: readonly Kernel[], under: { kernel: number }): void {
  let at = task + 1;
  for (let calls = code[task]; calls > 0; calls--) {
    const count = code[at + 1];
    spare[count] ??= new Array<number>(count).fill(0);
    const args = spare[count];
    for (let i = 0; i < count; i++) args[i] = code[at + 2 + i];
    under.kernel = code[at];
    kernels[code[at]](...args);
    at += 2 + count;
  }
}
