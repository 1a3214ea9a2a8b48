/** TensorFlow.js's wasm backend with this package's kernels on two threads. */
import '../../src/wasm.js';
import { wasmProvider } from '../../src/kernels/wasm/provider.js';

// The number is taken when the tests start the backend.
wasmProvider.start({ threads: 2 });
