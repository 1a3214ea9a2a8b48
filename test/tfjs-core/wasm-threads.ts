/** TensorFlow.js's wasm backend with this package's kernels on two threads. */
import '../../src/wasm.js';
import { ThreadPool } from '../../src/engine/threads/threadPool.js';
import { wasmProvider } from '../../src/kernels/wasm/provider.js';

// The number is taken whenever the tests start the backend.
wasmProvider.start({ threads: 2 });

/** Milliseconds. */
const [SLICE, PATIENCE] = [5, 5000];

let pools = 0;
let runsOnTwo = 0;
const { start } = ThreadPool;
ThreadPool.start = (options) => {
  const pool = start(options);
  if (!(options.memory.buffer instanceof SharedArrayBuffer)) return pool;
  pools++;
  // Their tests are short and start the backend again and again: most would be over before a worker has come.
  const sleep = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < PATIENCE && pool.registered === 0; waited += SLICE) Atomics.wait(sleep, 0, 0, SLICE);
  return pool;
};
const { run } = ThreadPool.prototype;
ThreadPool.prototype.run = function (this: ThreadPool, id) {
  if (this.registered > 0) runsOnTwo++;
  run.call(this, id);
};

/** What the tests have not tested, after they ran, or null. */
export function problem(): string | null {
  if (pools === 0) return 'No heap was shared.';
  return runsOnTwo === 0 ? 'No worker was there in any run.' : null;
}
