/** The pool of threads in Node: results, workers that come late, trap, hang or end, and the end of the pool and of the process. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterEach, describe, expect, test } from 'vitest';
import { FIRST_TICKET } from '../../../src/engine/threads/control.js';
import type { PoolProgram } from '../../../src/engine/threads/program.js';
import { ThreadPool, type ThreadPoolOptions } from '../../../src/engine/threads/threadPool.js';
import { BYTES, COUNT, compile, KERNELS, MIX, READ, SPECIAL, sharedMemory, TRAP } from './kernels.js';
import { CELLS, expected, randomNumbers, randomProgram } from './programs.js';

const pools: ThreadPool[] = [];

afterEach(() => {
  for (const pool of pools.splice(0)) pool.stop();
});

interface Started {
  readonly pool: ThreadPool;
  readonly cells: Int32Array;
}

function start(options: Partial<ThreadPoolOptions> & { readonly threads: number }): Started {
  const memory = options.memory ?? sharedMemory();
  const pool = ThreadPool.start({ module: compile(), memory, kernels: KERNELS, ...options });
  pools.push(pool);
  return { pool, cells: new Int32Array(memory.buffer) };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(2);
}

async function startAndWait(options: Partial<ThreadPoolOptions> & { readonly threads: number }): Promise<Started> {
  const started = start(options);
  await until(() => started.pool.registered === options.threads - 1);
  return started;
}

/** Starts a pool in whose workers the kernel `special` is a function of JavaScript; on the caller it does nothing. */
function startSpecial(special: string, options: Partial<ThreadPoolOptions> & { readonly threads: number }): Started {
  const threads = process.getBuiltinModule('node:worker_threads');
  const { Worker } = threads;
  const prefix = `{
    const { Instance } = WebAssembly;
    WebAssembly.Instance = function (module, imports) {
      const cells = new Int32Array(imports.env.memory.buffer);
      return { exports: { ...new Instance(module, imports).exports, special: ${special} } };
    };
  }`;
  threads.Worker = class extends Worker {
    constructor(source: string, settings: object) {
      super(prefix + source, settings);
    }
  } as typeof Worker;
  try {
    return start(options);
  } finally {
    threads.Worker = Worker;
  }
}

const repeat = <T>(count: number, item: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => item(i));
const mix = (to: number, a: number, b: number) => ({ kernel: MIX, args: [to * 4, a * 4, b * 4] });
/** Some milliseconds of work; hundreds of them last until even a busy machine has let a worker in. */
const work = { kernel: COUNT, args: [5_000_000] };

describe('results', () => {
  test.each([1, 2, 3, 4])('random programs on %i threads', async (threads) => {
    const { pool, cells } = start({ threads });
    const random = randomNumbers(threads);
    let tickets = 0;
    const check = (id: number, program: PoolProgram): void => {
      for (let i = 0; i < CELLS; i++) cells[i] = i;
      const wanted = expected(program, cells.slice(0, CELLS));
      pool.run(id);
      tickets += program.flat().length;
      expect(cells.slice(0, CELLS)).toEqual(wanted);
    };
    for (let round = 0; round < 1500; round++) {
      const program = randomProgram(random);
      const id = pool.define(program);
      for (let i = 0; i < 3; i++) check(id, program);
      pool.drop(id);
      // Workers come and sleep in between.
      if (round % 150 === 149) await pause(1);
    }
    expect(tickets).toBeGreaterThan(0x80000000 - FIRST_TICKET);
    expect(pool.problem).toBeNull();
    await until(() => pool.registered === threads - 1);
  });

  test('each phase sees what all tasks of the one before have written', async () => {
    const { pool, cells } = await startAndWait({ threads: 3 });
    // Cell i of a phase is three times its neighbour plus itself: a wave over all cells, back and forth.
    const program = repeat(400, (phase) =>
      repeat(16, (task) => [mix((phase % 2) * 16 + task, 16 - (phase % 2) * 16 + ((task + 1) % 16), 32)]),
    );
    cells.set(repeat(33, (i) => i));
    const wanted = expected(program, cells.slice(0, CELLS));
    pool.run(pool.define(program));
    expect(cells.slice(0, CELLS)).toEqual(wanted);
  });

  test('workers take part, and the caller alone is enough', async () => {
    const { pool, cells } = startSpecial('(address) => { cells[address / 4]++; }', { threads: 2 });
    const calls = repeat(200, (i) => [work, { kernel: SPECIAL, args: [i * 4] }]);
    const id = pool.define([calls]);
    await until(() => pool.registered === 1);
    pool.run(id);
    const shared = cells.slice(0, 200).reduce((sum, value) => sum + value);
    expect(shared).toBeGreaterThan(0);
    expect(shared).toBeLessThan(200);
    // One task in every phase: nothing to share, the workers are not asked.
    const alone = pool.define(calls.map((task) => [task]));
    pool.run(alone);
    expect(cells.slice(0, 200).reduce((sum, value) => sum + value)).toBe(shared);
  });

  test('a worker that comes in the middle of a run takes part in it', () => {
    const { pool, cells } = startSpecial('(address) => { cells[address / 4] = 1; }', { threads: 2 });
    const id = pool.define([repeat(500, (i) => [work, { kernel: SPECIAL, args: [i * 4] }])]);
    expect(pool.registered).toBe(0);
    pool.run(id);
    expect(pool.registered).toBe(1);
    const marks = cells.slice(0, 500);
    expect(marks[0]).toBe(0);
    expect(marks.reduce((sum, value) => sum + value)).toBeGreaterThan(0);
  });

  test('workers begin nothing before run', async () => {
    const { pool, cells } = await startAndWait({ threads: 3 });
    cells[40] = 1;
    const programs = repeat(3, (program) => [repeat(8, (i) => [mix(program * 8 + i, 40, 40)])]);
    const ids = programs.map((program) => pool.define(program));
    await pause(50);
    expect(cells.slice(0, 24)).toEqual(new Int32Array(24));
    pool.run(ids[1]);
    await pause(20);
    expect(cells.slice(0, 24)).toEqual(Int32Array.from(repeat(24, (i) => (i >= 8 && i < 16 ? 4 : 0))));
  });

  test('two pools at once have nothing to do with each other', async () => {
    const [a, b] = await Promise.all([startAndWait({ threads: 2 }), startAndWait({ threads: 3 })]);
    const random = randomNumbers(9);
    for (let round = 0; round < 200; round++) {
      for (const { pool, cells } of [a, b]) {
        const program = randomProgram(random);
        const wanted = expected(program, cells.slice(0, CELLS));
        pool.run(pool.define(program));
        expect(cells.slice(0, CELLS)).toEqual(wanted);
      }
    }
  });

  test('the memory may grow', async () => {
    const memory = sharedMemory();
    const { pool } = await startAndWait({ threads: 2, memory });
    memory.grow(3);
    const cells = new Int32Array(memory.buffer);
    const last = cells.length - 1;
    cells.fill(1, last - 40);
    pool.run(pool.define([repeat(40, (i) => [work, mix(last - i, last - i, last - i)])]));
    expect(cells.slice(last - 39)).toEqual(new Int32Array(40).fill(4));
  });

  test('addresses above 2 GiB', async () => {
    const { pool } = await startAndWait({ threads: 2 });
    const id = pool.define([repeat(2, () => [{ kernel: READ, args: [3 * 2 ** 30] }])]);
    expect(() => pool.run(id)).toThrow('A kernel of the planned engine failed: read: memory access out of bounds.');
  });

  test('a memory that is not shared', () => {
    const bytes = BYTES.slice();
    // The limits of the import, behind its name and kind.
    const at = Buffer.from(bytes).indexOf('memory') + 'memory'.length + 1;
    expect(bytes[at]).toBe(3);
    bytes[at] = 1;
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
    const { pool, cells } = start({ threads: 2, memory, module: new WebAssembly.Module(bytes) });
    cells[1] = 5;
    pool.run(pool.define([repeat(3, (i) => [mix(i + 2, 1, 1)])]));
    expect([...cells.slice(2, 5)]).toEqual([20, 20, 20]);
    expect(pool.registered).toBe(0);
    expect(pool.problem).toBe('the memory cannot be shared (in a browser: the page is not cross-origin isolated)');
  });
});

describe('failures', () => {
  test.each([
    ['an error', `() => { throw new Error('Out of luck'); }`, 'Out of luck'],
    ['a trap', '(address) => { new Instance(module, imports).exports.trap(); }', 'unreachable'],
    ['no error', `() => { throw 'what'; }`, 'what'],
    ['a long text', `() => { throw new Error('ä'.repeat(1000)); }`, 'ä'.repeat(191)],
  ])('%s in a worker is thrown by run, and the pool goes on', async (_, special, text) => {
    const { pool, cells } = startSpecial(special, { threads: 2 });
    const failing = pool.define([repeat(400, () => [work, { kernel: SPECIAL, args: [0] }]), [[mix(40, 41, 41)]]]);
    const good = pool.define([repeat(8, (i) => [work, mix(i, 41, 41)])]);
    await until(() => pool.registered === 1);
    cells[41] = 1;
    expect(() => pool.run(failing)).toThrow(`A kernel of the planned engine failed: special: ${text}.`);
    // The next phase did not begin.
    expect(cells[40]).toBe(0);
    pool.run(good);
    expect([...cells.slice(0, 8)]).toEqual(repeat(8, () => 4));
    expect(() => pool.run(failing)).toThrow(text);
    expect(pool.registered).toBe(1);
  });

  test.each([1, 2])('a trap of the caller, %i threads', async (threads) => {
    const { pool, cells } = await startAndWait({ threads });
    const failing = pool.define([
      [[work], [{ kernel: TRAP, args: [] }], ...repeat(30, () => [work])],
      [[mix(40, 41, 41)]],
    ]);
    cells[41] = 1;
    for (let i = 0; i < 5; i++) expect(() => pool.run(failing)).toThrow('unreachable');
    expect(cells[40]).toBe(0);
    pool.run(pool.define([repeat(8, (i) => [mix(i, 41, 41)])]));
    expect([...cells.slice(0, 8)]).toEqual(repeat(8, () => 4));
  });

  test.each([
    ['hangs', '() => { for (;;); }'],
    ['ends', '() => { process.exit(1); }'],
  ])('a worker that %s inside a task is an error in time, and the end of the pool', async (_, special) => {
    const { pool } = startSpecial(special, { threads: 3, patience: 300 });
    const id = pool.define([repeat(100, () => [work, { kernel: SPECIAL, args: [0] }])]);
    await until(() => pool.registered === 2);
    const begin = performance.now();
    expect(() => pool.run(id)).toThrow(
      'A thread of the planned engine has done nothing for 0.3 s in the middle of a run: it has ended, or the machine leaves it no time. Start again; with one thread this cannot happen.',
    );
    const took = performance.now() - begin;
    expect(took).toBeGreaterThan(300);
    // The caller does the other tasks first.
    expect(took).toBeLessThan(9000);
    expect(() => pool.run(id)).toThrow('The thread pool has lost a thread; start another one.');
    expect(() => pool.define([])).toThrow('The thread pool has lost a thread; start another one.');
    expect(pool.registered).toBe(0);
    pool.stop();
  });

  test('a worker that has ended between two runs is not missed', async () => {
    const { pool, cells } = startSpecial('() => { queueMicrotask(() => process.exit(7)); }', { threads: 2 });
    const id = pool.define([repeat(8, () => [work, { kernel: SPECIAL, args: [0] }])]);
    await until(() => pool.registered === 1);
    pool.run(id);
    // A message sends the worker to its event loop.
    const other = pool.define([repeat(8, (i) => [mix(i, 41, 41)])]);
    await until(() => pool.registered === 0);
    expect(pool.problem).toBe('it exited with code 7');
    cells[41] = 1;
    pool.run(other);
    expect([...cells.slice(0, 8)]).toEqual(repeat(8, () => 4));
  });

  test('a runtime that starts no workers', () => {
    const threads = process.getBuiltinModule('node:worker_threads');
    const { Worker } = threads;
    threads.Worker = class {
      constructor() {
        throw new Error('Access to this API has been restricted');
      }
    } as unknown as typeof Worker;
    const { pool, cells } = start({ threads: 4 });
    threads.Worker = Worker;
    cells[1] = 5;
    pool.run(pool.define([repeat(3, (i) => [mix(i + 2, 1, 1)])]));
    expect([...cells.slice(2, 5)]).toEqual([20, 20, 20]);
    expect(pool.problem).toBe('Access to this API has been restricted');
  });

  test('programs and kernels that do not exist', () => {
    const { pool } = start({ threads: 1 });
    expect(() => pool.run(3)).toThrow('The thread pool has no program 3.');
    const id = pool.define([]);
    pool.run(id);
    pool.drop(id);
    expect(() => pool.run(id)).toThrow('The thread pool has no program 0.');
    expect(() => pool.define([[[{ kernel: 9, args: [] }]]])).toThrow('A program calls kernel 9; the pool has 6.');
    expect(() => start({ threads: 1, kernels: ['gemm'] })).toThrow('The module has no kernel gemm.');
  });
});

describe('the end', () => {
  test('stop', async () => {
    const { pool } = await startAndWait({ threads: 3 });
    const id = pool.define([]);
    pool.stop();
    pool.stop();
    pool.drop(id);
    expect(pool.registered).toBe(0);
    expect(() => pool.run(id)).toThrow('The thread pool was stopped; start another one.');
    await pause(100);
    expect(pool.registered).toBe(0);
    expect(pool.problem).toBeNull();
  });

  test.each([
    ['at once', ''],
    ['while workers sleep', 'await new Promise((resolve) => setTimeout(resolve, 300));'],
    ['after stop', 'pool.stop();'],
  ])('the process ends by itself %s', (_, rest) => {
    const path = JSON.stringify(join(import.meta.dirname, '../../../src/engine/threads/threadPool.ts'));
    const { outputFiles } = buildSync({
      stdin: {
        contents: `
          import { ThreadPool } from ${path};
          const pool = ThreadPool.start({
            module: new WebAssembly.Module(Uint8Array.from(${JSON.stringify([...BYTES])})),
            memory: new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true }),
            kernels: ${JSON.stringify(KERNELS)},
            threads: 3,
          });
          pool.run(pool.define([[[], []], [[], []]]));
          ${rest}
          console.log('done');`,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      format: 'esm',
      write: false,
    });
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', outputFiles[0].text],
      { encoding: 'utf8', timeout: 20_000 },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('done\n');
    expect(status).toBe(0);
  });
});
