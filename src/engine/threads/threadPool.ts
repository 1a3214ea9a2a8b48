/** Threads over one shared memory: a program's tasks on the caller and on as many workers as have come. */
import { messageOf } from '../../runtime/sentences.js';
import { FIRST_TICKET, PHASE_SPIN, STATE, WORD } from './control.js';
import {
  encodeProgram,
  type Kernel,
  type PoolProgram,
  type ProgramCode,
  type ReadyProgram,
  readyProgram,
  runTask,
} from './program.js';
import { type PoolWorker, startWorker } from './startWorker.js';

/** Milliseconds of one sleep: what waits looks up so often. */
const SLICE = 50;
const PATIENCE = 10_000;

export interface ThreadPoolOptions {
  /** Imports `env.memory`. */
  readonly module: WebAssembly.Module;
  /** Shared; with a memory that is not, everything runs on the caller. */
  readonly memory: WebAssembly.Memory;
  /** Names of the module's exports; programs call them by their place in this list. */
  readonly kernels: readonly string[];
  /** The caller and `threads - 1` workers. */
  readonly threads: number;
  /** Milliseconds without any task done after which a run that waits for a worker gives up. Default 10,000. */
  readonly patience?: number;
}

/** Whether this thread may sleep; the main thread of a browser may not. */
function maySleep(words: Int32Array): boolean {
  try {
    Atomics.wait(words, WORD.state, -1, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * A pool of threads. Whether a worker has come, is slow or could not be started changes nothing but the time: tasks go to
 * whoever asks for the next one, and the caller always takes part. Workers end with the process and do not keep it alive.
 *
 * @example
 * ```ts
 * const pool = ThreadPool.start({ module, memory, kernels: ['gemm', 'affine'], threads: 2 });
 * const id = pool.define([[[{ kernel: 0, args: first }], [{ kernel: 0, args: second }]], [[{ kernel: 1, args: both }]]]);
 * pool.run(id);
 * ```
 */
export class ThreadPool {
  /** Threads asked for, the caller among them. */
  readonly threads: number;
  /** Why a worker could not be started or ended, as the runtime says it; null as long as nothing went wrong. */
  problem: string | null = null;
  private readonly kernels: readonly Kernel[];
  private readonly names: readonly string[];
  private readonly patience: number;
  private readonly words: Int32Array;
  private readonly maySleep: boolean;
  private readonly workers: PoolWorker[] = [];
  private readonly programs = new Map<number, ReadyProgram>();
  private programCount = 0;
  /** The ticket behind the last run. */
  private next = FIRST_TICKET;
  /** Why the pool cannot run any more. */
  private ended: string | null = null;
  private lost = false;

  private constructor({ module, memory, kernels, threads, patience = PATIENCE }: ThreadPoolOptions) {
    this.threads = threads;
    this.names = kernels;
    this.patience = patience;
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.kernels = kernels.map((name) => {
      const kernel = exports[name];
      if (typeof kernel !== 'function') throw new Error(`The module has no kernel ${name}.`);
      return kernel as Kernel;
    });
    const length = WORD.workers + threads;
    const canShare = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
    this.words = new Int32Array(canShare ? new SharedArrayBuffer(length * 4) : new ArrayBuffer(length * 4));
    this.words[WORD.ticket] = FIRST_TICKET;
    this.words[WORD.done] = FIRST_TICKET;
    // No program yet: a worker must not take the first one for begun.
    this.words[WORD.program] = -1;
    this.maySleep = canShare && maySleep(this.words);
    if (!canShare) {
      if (threads > 1)
        this.problem = 'the memory cannot be shared (in a browser: the page is not cross-origin isolated)';
      return;
    }
    for (let worker = 0; worker < threads - 1; worker++) {
      if (!this.startWorker(worker, { module, memory, kernels })) break;
    }
  }

  /** Starts the workers and does not wait for them. */
  static start(options: ThreadPoolOptions): ThreadPool {
    return new ThreadPool(options);
  }

  /** Workers that are ready now. */
  get registered(): number {
    let count = 0;
    for (let worker = 0; worker < this.threads; worker++) count += Atomics.load(this.words, WORD.workers + worker);
    return count;
  }

  /** Whether it was stopped or has lost a thread. */
  get isEnded(): boolean {
    return this.ended !== null;
  }

  /** Whether a thread was lost in the middle of a run: it may still write to what the run wrote to. */
  get mayStillWrite(): boolean {
    return this.lost;
  }

  /**
   * Hands a program to the workers. One that has not received it yet takes no part in its runs.
   *
   * @returns The number by which to run it.
   */
  define(program: PoolProgram): number {
    return this.adopt(encodeProgram(program, this.workers.length > 0));
  }

  /**
   * The same for an encoded program, whose arguments may be changed between runs.
   *
   * @param code In shared memory where the pool has workers.
   */
  adopt(code: ProgramCode): number {
    this.check();
    const ready = readyProgram(code, this.kernels.length);
    const id = this.programCount++;
    this.programs.set(id, ready);
    if (ready.isParallel && this.workers.length > 0) this.post({ id, code });
    return id;
  }

  /** Forgets a program. */
  drop(id: number): void {
    const program = this.programs.get(id);
    this.programs.delete(id);
    if (this.ended === null && program?.isParallel === true && this.workers.length > 0) this.post({ id });
  }

  /**
   * Runs a program; all its tasks are done when it returns.
   *
   * @throws Error where a kernel traps, with its message: no task of the program runs any more, and the pool can go on. Error
   * where a worker that has a task does nothing for the time of `patience`: the pool is stopped, and the worker may still write.
   */
  run(id: number): void {
    this.check();
    const program = this.programs.get(id);
    if (program === undefined) throw new Error(`The thread pool has no program ${id}.`);
    if (program.isParallel && this.workers.length > 0) this.runShared(id, program);
    else for (const task of program.tasks) runTask(program.code, task, this.kernels, { kernel: 0 });
  }

  /** Ends the workers; a second call changes nothing. */
  stop(): void {
    this.end('was stopped');
  }

  private startWorker(index: number, setup: object): boolean {
    let worker: PoolWorker | undefined;
    try {
      worker = startWorker((reason) => {
        Atomics.store(this.words, WORD.workers + index, 0);
        if (this.ended === null) this.problem ??= reason;
      });
      worker.post({ ...setup, control: this.words.buffer, worker: index });
      this.workers.push(worker);
      return true;
    } catch (error) {
      worker?.terminate();
      this.problem ??= messageOf(error);
      return false;
    }
  }

  private check(): void {
    if (this.ended !== null) throw new Error(`The thread pool ${this.ended}; start another one.`);
  }

  private end(reason: string): void {
    if (this.ended !== null) return;
    this.ended = reason;
    this.programs.clear();
    Atomics.store(this.words, WORD.state, STATE.stopped);
    this.announce();
    if (this.workers.length > 0) Atomics.notify(this.words, WORD.done);
    for (const worker of this.workers) worker.terminate();
    for (let worker = 0; worker < this.threads; worker++) Atomics.store(this.words, WORD.workers + worker, 0);
  }

  private post(message: object): void {
    for (const worker of this.workers) worker.post(message);
    Atomics.add(this.words, WORD.posted, 1);
    this.announce();
  }

  /** Tells idle workers that something has changed. */
  private announce(program?: number, first?: number): void {
    const { words } = this;
    Atomics.add(words, WORD.sequence, 1);
    if (program !== undefined) Atomics.store(words, WORD.program, program);
    if (first !== undefined) Atomics.store(words, WORD.first, first);
    Atomics.add(words, WORD.sequence, 1);
    if (Atomics.load(words, WORD.idle) > 0) Atomics.notify(words, WORD.sequence);
  }

  private runShared(id: number, { code, tasks, starts, ends }: ReadyProgram): void {
    const { words } = this;
    const first = this.next;
    const end = (first + tasks.length) | 0;
    this.next = end;
    this.announce(id, first);
    for (let phase = 0; ; ) {
      const ticket = Atomics.load(words, WORD.ticket);
      const task = (ticket - first) | 0;
      if (task >= tasks.length) break;
      while (task >= ends[phase]) phase++;
      if (!this.waitFor((first + starts[phase]) | 0, STATE.working)) break;
      if (Atomics.compareExchange(words, WORD.ticket, ticket, (ticket + 1) | 0) !== ticket) continue;
      const under = { kernel: 0 };
      try {
        runTask(code, tasks[task], this.kernels, under);
      } catch (error) {
        const claimed = Atomics.exchange(words, WORD.ticket, end);
        Atomics.add(words, WORD.done, 1);
        this.settle(claimed, end);
        throw this.trap(`${this.names[under.kernel]}: ${messageOf(error)}`, error);
      }
      const done = (Atomics.add(words, WORD.done, 1) + 1 - first) | 0;
      if (done === ends[phase] && Atomics.load(words, WORD.waiting) > 0) Atomics.notify(words, WORD.done);
    }
    if (this.waitFor(end, STATE.working) && Atomics.load(words, WORD.state) === STATE.working) return;
    this.settle(Atomics.exchange(words, WORD.ticket, end), end);
    const [length, ...codes] = words.subarray(WORD.failure, WORD.workers);
    throw this.trap(String.fromCharCode(...codes.slice(0, length)));
  }

  private trap(message: string, cause?: unknown): Error {
    return new Error(`A kernel of the planned engine failed: ${message}.`, { cause });
  }

  /** After a failure, when nobody gets a ticket any more: waits for the tasks that have one and leaves the words as after any run. */
  private settle(claimed: number, end: number): void {
    const { words } = this;
    while (!this.waitFor(claimed, Atomics.load(words, WORD.state)));
    Atomics.store(words, WORD.done, end);
    Atomics.store(words, WORD.state, STATE.working);
    Atomics.notify(words, WORD.done);
  }

  /** Waits until the tasks in front of a ticket are done; false when the state is another one. */
  private waitFor(ticket: number, state: number): boolean {
    const { words } = this;
    let seen = 0;
    let last = 0;
    // Sums of short spans: a process that was stopped for an hour has not waited for an hour.
    let waited = 0;
    for (let spins = 1; ; spins++) {
      // In this order: who fails says so before it counts its task as done.
      const done = Atomics.load(words, WORD.done);
      if (Atomics.load(words, WORD.state) !== state) return false;
      if (((done - ticket) | 0) >= 0) return true;
      if ((spins & 63) !== 0) continue;
      const now = performance.now();
      waited = last === 0 || done !== seen ? 0 : waited + Math.min(now - last, 2 * SLICE);
      last = now;
      seen = done;
      if (waited > this.patience) throw this.lose();
      if (waited < PHASE_SPIN || !this.maySleep) continue;
      Atomics.add(words, WORD.waiting, 1);
      Atomics.wait(words, WORD.done, done, SLICE);
      Atomics.sub(words, WORD.waiting, 1);
    }
  }

  private lose(): Error {
    this.lost = true;
    this.end('has lost a thread');
    return new Error(
      `A thread of the planned engine has done nothing for ${this.patience / 1000} s in the middle of a run: it has ended, or the machine leaves it no time. Start again; with one thread this cannot happen.`,
    );
  }
}
