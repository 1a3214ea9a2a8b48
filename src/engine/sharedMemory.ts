/** Memories that threads share. */
import { detectEnvironment } from '../runtime/environment.js';

/** As much as addresses of 32 bits reach. */
export const MOST_PAGES = 65536;

/** An empty one, or null where there are none of that size: on pages that are not isolated, and on iOS, which refuses maxima of 2 GiB and more. */
export function newSharedMemory(): WebAssembly.Memory | null {
  if (!detectEnvironment().sharedMemory) return null;
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The threads that programs get of those that were asked for: one where memory cannot be shared. Reserves addresses for a moment. */
export const possibleThreads = (asked: number): number => (asked > 1 && newSharedMemory() === null ? 1 : asked);
