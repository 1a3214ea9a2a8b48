/** The machine that a run is measured on, as a report names it. */
import { arch, cpus, type } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { Machine } from '../schemas.js';

/** Backends that compute on one thread in this version; of others the number is not known. */
const ONE_THREAD = ['wasm', 'cpu'];

/** This machine with the backend that is active. */
export function thisMachine(): Machine {
  const backend = tf.getBackend();
  return {
    backend,
    threads: ONE_THREAD.includes(backend) ? 1 : null,
    processor: cpus()[0]?.model ?? 'unknown',
    system: `${type()} ${arch()}`,
  };
}
