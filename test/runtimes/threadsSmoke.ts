/** What a pool of two threads must do in every runtime, as plain numbers and texts. Bundled by threads.test.ts. */
import { ThreadPool } from '../../src/engine/threads/threadPool.js';
import { BYTES, KERNELS, MEET, TRAP } from '../engine/threads/kernels.js';
import { CELLS, expected, randomNumbers, randomProgram } from '../engine/threads/programs.js';

export interface ThreadsResult {
  /** Workers that came. */
  readonly registered: number;
  readonly problem: string | null;
  /** Runs, and those that gave something else than one thread after the other. */
  readonly runs: number;
  readonly wrong: number;
  /** Two tasks were under way at the same time. */
  readonly met: boolean;
  /** The message of a kernel that traps. */
  readonly trap: string;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A shared memory, or a plain one and the module for it where none can be handed to a worker. */
function setup(): { module: WebAssembly.Module; memory: WebAssembly.Memory } {
  const shared = typeof SharedArrayBuffer !== 'undefined';
  const bytes = BYTES.slice();
  // The limits of the import are the first 3 behind the letters of its name.
  if (!shared) bytes[bytes.indexOf(3, bytes.indexOf(0x79))] = 1;
  return {
    module: new WebAssembly.Module(bytes),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 65536, shared }),
  };
}

export async function smoke(): Promise<ThreadsResult> {
  const { module, memory } = setup();
  const cells = new Int32Array(memory.buffer);
  const pool = ThreadPool.start({ module, memory, kernels: KERNELS, threads: 2 });
  const random = randomNumbers(1);
  let wrong = 0;
  let runs = 0;
  const runSome = (): void => {
    const program = randomProgram(random);
    const id = pool.define(program);
    for (let i = 0; i < 5; i++) {
      const wanted = expected(program, cells.slice(0, CELLS));
      pool.run(id);
      if (cells.slice(0, CELLS).some((value, cell) => value !== wanted[cell])) wrong++;
      runs++;
    }
    pool.drop(id);
  };
  // Before the worker comes, while it comes, and with it.
  const deadline = performance.now() + 5000;
  while (pool.registered === 0 && pool.problem === null && performance.now() < deadline) {
    runSome();
    await pause(1);
  }
  for (let i = 0; i < 1000; i++) {
    runSome();
    if (i % 100 === 0) await pause(1);
  }
  // Counter and answers behind the cells.
  const [counter, answers] = [CELLS * 4, CELLS * 4 + 64];
  const meeting = pool.define([[0, 4].map((at) => [{ kernel: MEET, args: [counter, 100_000_000, answers + at] }])]);
  if (pool.registered > 0) {
    // So that the worker has received the program.
    await pause(50);
    pool.run(meeting);
  }
  const failing = pool.define([[[{ kernel: TRAP, args: [] }], [{ kernel: TRAP, args: [] }]]]);
  let trap = '';
  try {
    pool.run(failing);
  } catch (error) {
    trap = String(error);
  }
  runSome();
  const { registered, problem } = pool;
  pool.stop();
  // Nobody stops this one: the process must end all the same.
  ThreadPool.start({ module, memory, kernels: KERNELS, threads: 3 });
  if (registered > 0) await pause(200);
  return { registered, problem, runs, wrong, met: cells[answers / 4] === 1 && cells[answers / 4 + 1] === 1, trap };
}
