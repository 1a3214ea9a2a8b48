/** The machine that a run is measured on, as a report names it. */
import { arch, cpus, type } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { Machine } from '../schemas.js';

/**
 * This machine with the backend that is active.
 *
 * @param threads That computed; null where the backend decides, or where fewer did than were asked for.
 */
export function thisMachine(threads: number | null): Machine {
  return {
    backend: tf.getBackend(),
    threads,
    processor: cpus()[0]?.model ?? 'unknown',
    system: `${type()} ${arch()}`,
  };
}
