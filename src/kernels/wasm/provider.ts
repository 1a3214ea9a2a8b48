/** The provider of backend wasm: tfjs's SIMD build, single-threaded, with the kernels that tfjs lacks. */
import { detectEnvironment } from '../../runtime/environment.js';
import type { BackendProvider } from '../../runtime/providers.js';
import { NO_SIMD, restoreRegistration } from './embeddedBinary.js';
import { inspect } from './inspect.js';
import { kernelBinaries } from './kernelBinaries.js';

export const wasmProvider: BackendProvider = {
  name: 'wasm',
  kernels: kernelBinaries,
  inspect: () => inspect(kernelBinaries),
  async probe() {
    return detectEnvironment().simd
      ? { available: true, reason: 'WebAssembly SIMD on one thread.' }
      : { available: false, reason: NO_SIMD };
  },
  async start() {
    restoreRegistration();
  },
};
