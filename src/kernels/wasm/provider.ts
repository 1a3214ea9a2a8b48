/** The provider of backend wasm: tfjs's SIMD build, single-threaded, with the kernels that tfjs lacks. */
import { detectEnvironment } from '../../runtime/environment.js';
import type { BackendProvider } from '../../runtime/providers.js';
import base from './binaries/base.wasm';
import relaxed from './binaries/relaxed.wasm';
import { NO_SIMD, restoreRegistration } from './embeddedBinary.js';
import { inspect } from './inspect.js';

export const wasmProvider: BackendProvider = {
  name: 'wasm',
  kernels: { base, relaxed },
  inspect: () => inspect({ base, relaxed }),
  async probe() {
    return detectEnvironment().simd
      ? { available: true, reason: 'WebAssembly SIMD on one thread.' }
      : { available: false, reason: NO_SIMD };
  },
  async start() {
    restoreRegistration();
  },
};
