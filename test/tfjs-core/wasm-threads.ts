/** TensorFlow.js's wasm backend with this package's kernels on two threads. */
import '../../src/wasm.js';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { ThreadPool } from '../../src/engine/threads/threadPool.js';
import { programsOf } from '../../src/kernels/wasm/programCache.js';
import { wasmProvider } from '../../src/kernels/wasm/provider.js';

// The number is taken whenever the tests start the backend.
wasmProvider.start({ threads: 2 });

/** Milliseconds. */
const [SLICE, PATIENCE] = [2, 5000];

let pool: ThreadPool | undefined;
let runsOnTwo = 0;
const { start } = ThreadPool;
ThreadPool.start = (options) => {
  const started = start(options);
  if (options.memory.buffer instanceof SharedArrayBuffer) pool = started;
  return started;
};
const { run } = ThreadPool.prototype;
ThreadPool.prototype.run = function (this: ThreadPool, id) {
  if (this.registered > 0) runsOnTwo++;
  run.call(this, id);
};

/**
 * Waits for the worker before a test: the tests are short and start the backend again and again, so that most would be over
 * before one has come. Asynchronously, for a page's worker comes only while the page's script rests.
 */
export async function beforeEach(): Promise<void> {
  const backend = tf.engine().registry.wasm;
  if (!(backend instanceof BackendWasm)) return;
  programsOf(backend);
  for (const end = performance.now() + PATIENCE; performance.now() < end; ) {
    if (pool === undefined || pool.registered > 0 || pool.problem !== null) return;
    await new Promise((resolve) => setTimeout(resolve, SLICE));
  }
}

/** What the tests have not tested, after they ran, or null. */
export function problem(): string | null {
  if (pool === undefined) return 'No heap was shared.';
  return runsOnTwo === 0 ? `No worker was there in any run: ${pool.problem ?? 'none came'}.` : null;
}
