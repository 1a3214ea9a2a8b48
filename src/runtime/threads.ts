/** Which numbers of threads are legal. */
import { InvalidArgumentError } from './errors.js';

/** More threads than this are a mistake: each takes a stack and a start of its own. */
export const MOST_THREADS = 64;

export const LEGAL_THREADS = `a whole number from 1 to ${MOST_THREADS}`;

export const isThreads = (threads: number): boolean =>
  Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS;

/**
 * Refuses a number of threads that is none.
 *
 * @throws InvalidArgumentError.
 */
export function checkThreads(threads: number): void {
  if (isThreads(threads)) return;
  const received = typeof threads === 'string' ? JSON.stringify(threads) : String(threads);
  throw new InvalidArgumentError(`threads must be ${LEGAL_THREADS}. Received: threads=${received}.`);
}
