/** The provider of backend wasm: tfjs's single-threaded SIMD build, with this package's kernels on as many threads as are asked for. */
import * as tf from '@tensorflow/tfjs-core';
import { detectEnvironment } from '../../runtime/environment.js';
import type { BackendProvider } from '../../runtime/providers.js';
import { chooseConvolutions } from './conv2d.js';
import { chooseThreads, NO_SIMD, restoreRegistration, threadsIn } from './embeddedBinary.js';
import { inspect } from './inspect.js';
import { kernelBinaries } from './kernelBinaries.js';
import { canShareMemory } from './sharedHeap.js';

function reasonFor(threads: number): string {
  if (threads === 1) return 'WebAssembly SIMD on one thread.';
  return canShareMemory()
    ? `WebAssembly SIMD, this package's kernels on ${threads} threads in a shared heap.`
    : `WebAssembly SIMD on one thread instead of ${threads}: memory cannot be shared here (in a browser: the page is not cross-origin isolated).`;
}

export const wasmProvider: BackendProvider = {
  name: 'wasm',
  kernels: kernelBinaries,
  inspect: () => inspect(kernelBinaries),
  async probe({ threads = 1 }) {
    return detectEnvironment().simd
      ? { available: true, reason: reasonFor(threads) }
      : { available: false, reason: NO_SIMD };
  },
  threads() {
    const running = tf.engine().registry.wasm;
    return running === undefined ? 1 : threadsIn(running);
  },
  async start({ threads, convolutions }) {
    restoreRegistration();
    if (threads !== undefined) chooseThreads(threads);
    if (convolutions !== undefined) chooseConvolutions(convolutions);
  },
};
