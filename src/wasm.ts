/**
 * Entry `pyconvunet/wasm`: registers backend 'wasm' with TensorFlow.js's SIMD binary embedded, and the kernels that
 * TensorFlow.js lacks for training on it.
 *
 * @packageDocumentation
 */
import { embedBinary } from './kernels/wasm/embeddedBinary.js';
import { registerWasmKernels } from './kernels/wasm/kernels.js';
import { wasmProvider } from './kernels/wasm/provider.js';
import { registerProvider } from './runtime/providers.js';

embedBinary();
registerWasmKernels();
registerProvider(wasmProvider);
