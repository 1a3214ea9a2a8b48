/** TensorFlow.js's wasm backend as it ships, on one thread as in Node; its binary is part of the bundle, so that any runtime finds it. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import binary from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
import * as tf from '@tensorflow/tfjs-core';

const path = URL.createObjectURL(new Blob([binary]));
setWasmPaths(
  {
    'tfjs-backend-wasm.wasm': path,
    'tfjs-backend-wasm-simd.wasm': path,
    'tfjs-backend-wasm-threaded-simd.wasm': path,
  },
  true,
);
// The tests forget flags that were set.
tf.env().registerFlag('WASM_HAS_MULTITHREAD_SUPPORT', () => false);
