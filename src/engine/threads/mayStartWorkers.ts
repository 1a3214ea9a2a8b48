/** Whether this runtime lets a worker come: a page may forbid it, and then everything runs on one thread without a word. */
import type { KernelBinaries } from '../../runtime/providers.js';
import { ThreadPool } from './threadPool.js';

/** Milliseconds that a worker is waited for, and between two looks. */
const PATIENCE = 2000;
const INTERVAL = 5;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, INTERVAL));

/**
 * Starts one worker and ends it again.
 *
 * @returns Why none came, or null where one did.
 */
export async function mayStartWorkers({ base }: KernelBinaries, patience = PATIENCE): Promise<string | null> {
  const pool = ThreadPool.start({
    module: new WebAssembly.Module(base),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
    kernels: [],
    threads: 2,
  });
  try {
    for (const end = performance.now() + patience; performance.now() < end; await pause()) {
      if (pool.registered > 0) return null;
      if (pool.problem !== null) return pool.problem;
    }
    return `none came within ${patience / 1000} s`;
  } finally {
    pool.stop();
  }
}
