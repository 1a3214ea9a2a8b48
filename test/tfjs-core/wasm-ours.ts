/** TensorFlow.js's wasm backend with this package's kernels. */
import '../../src/wasm.js';
