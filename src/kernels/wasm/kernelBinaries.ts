/** The binaries of the engine. Imported here alone: whoever imports the files gets a copy of them built in. */
import type { KernelBinaries } from '../../runtime/providers.js';
import base from './binaries/base.wasm';
import relaxed from './binaries/relaxed.wasm';

export const kernelBinaries: KernelBinaries = { base, relaxed };
