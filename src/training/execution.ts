/** How the steps of a run were taken: planned or layer by layer, and on how many threads. */
import * as tf from '@tensorflow/tfjs-core';
import { threadsOf } from '../runtime/backends.js';
import type { Stepper } from './stepper.js';

/** How the steps of a run were taken. */
export interface Execution {
  /** By a plan on backend wasm; else layer by layer. */
  readonly planned: boolean;
  /** Why not by a plan; null where they were. */
  readonly reason: string | null;
  /** Threads that computed; null where the backend decides, or where {@link threadProblem} leaves fewer than were asked for. */
  readonly threads: number | null;
  /** Why fewer threads computed than a plan was given; null as long as nothing went wrong. */
  readonly threadProblem: string | null;
}

/**
 * What a stepper has done on the current backend.
 *
 * @param asked Threads that a plan is given; steps without one are the backend's alone.
 */
export function executionOf(
  { reason, threadProblem }: Pick<Stepper, 'reason' | 'threadProblem'>,
  asked: number,
): Execution {
  const ofPlan = threadProblem === null ? asked : null;
  const threads = reason === null ? ofPlan : threadsOf(tf.getBackend());
  return { planned: reason === null, reason, threads, threadProblem };
}
