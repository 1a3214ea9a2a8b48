/** The provider of backend wasm: tfjs's single-threaded SIMD build, with this package's kernels on as many threads as are asked for. */
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { possibleThreads } from '../../engine/sharedMemory.js';
import type { BackendProvider } from '../../runtime/providers.js';
import { chooseConvolutions } from './conv2d.js';
import { chooseThreads, restoreRegistration, type Threads, threadsIn, threadsOf, whyNot } from './embeddedBinary.js';
import { inspect } from './inspect.js';
import { kernelBinaries } from './kernelBinaries.js';

function reasonFor({ asked, given }: Threads): string {
  if (asked === 1) return 'WebAssembly SIMD on one thread.';
  return given > 1
    ? `WebAssembly SIMD, this package's kernels on ${given} threads in a shared heap.`
    : `WebAssembly SIMD on one thread instead of ${asked}: memory cannot be shared here (in a browser: the page is not cross-origin isolated).`;
}

export const wasmProvider: BackendProvider = {
  name: 'wasm',
  kernels: kernelBinaries,
  inPlace(tensor) {
    const { registry, state } = tf.engine();
    const { wasm } = registry;
    if (!(wasm instanceof BackendWasm) || state.tensorInfo.get(tensor.dataId)?.backend !== wasm) return null;
    const values = tensor.dtype === 'float32' ? wasm.typedArrayFromHeap(tensor) : null;
    return values instanceof Float32Array ? values : null;
  },
  inspect: () => inspect(kernelBinaries),
  async probe({ threads = 1 }) {
    const problem = whyNot();
    if (problem !== null) return { available: false, reason: problem };
    const running = tf.engine().registry.wasm;
    const here = running === undefined ? { asked: threads, given: possibleThreads(threads) } : threadsOf(running);
    return { available: true, reason: reasonFor(here) };
  },
  threads() {
    const running = tf.engine().registry.wasm;
    return running === undefined ? 1 : threadsIn(running);
  },
  async start({ threads, convolutions }) {
    restoreRegistration();
    if (threads !== undefined) chooseThreads(threads);
    // A backend that runs keeps its number.
    else if (tf.engine().registry.wasm === undefined) chooseThreads(1);
    if (convolutions !== undefined) chooseConvolutions(convolutions);
  },
};
