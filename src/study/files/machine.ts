/** The machine that a run is measured on, as a report names it. */
import { arch, cpus, type } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { Machine } from '../schemas.js';

/** Threads of the backend that is active, where it is known. */
function threadsOf(backend: string, ofPlans: number): number | null {
  if (backend === 'wasm') return ofPlans;
  return backend === 'cpu' ? 1 : null;
}

/**
 * This machine with the backend that is active.
 *
 * @param threads Of plans on backend wasm.
 */
export function thisMachine(threads: number): Machine {
  const backend = tf.getBackend();
  return {
    backend,
    threads: threadsOf(backend, threads),
    processor: cpus()[0]?.model ?? 'unknown',
    system: `${type()} ${arch()}`,
  };
}
