/** The check that a backend runs, before tfjs complains in words that do not name this package's imports. */
import * as tf from '@tensorflow/tfjs-core';
import { UnsupportedBackendError } from './errors.js';

/**
 * Makes sure that tensors can be made.
 *
 * @throws UnsupportedBackendError saying which lines are missing.
 */
export function requireBackend(): void {
  try {
    tf.backend();
  } catch (error) {
    throw new UnsupportedBackendError(
      "No backend is running. Add the lines: import 'pyconvunet/wasm'; (or another backend's entry) and await useBackend('wasm');",
      { cause: error },
    );
  }
}
