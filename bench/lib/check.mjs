// What a contender must be before it is timed.

/**
 * Worst error that is still right. Inference: of a probability. Training: of the loss before and after the first step, which
 * Adam alone moves by 4e-4 between two exact implementations (and by 0.1 and more when it learns).
 */
const TOLERANCE = { inference: 1e-3, training: 2e-3 };
/** Threads of the one before spin on for a while; the next turn waits for that. */
export const PAUSE_MS = 300;

/** Why a contender that says this of itself is not timed, or null where it is. */
export function whyNotTimed({ skipped, threads, maxError }, wanted) {
  if (skipped !== undefined) return { status: 'skipped', reason: skipped };
  if (threads !== wanted.threads) return { status: 'failed', reason: `runs on ${threads} threads` };
  if (maxError <= TOLERANCE[wanted.work]) return null;
  return { status: 'WRONG', reason: `off by ${maxError.toExponential(1)}` };
}
