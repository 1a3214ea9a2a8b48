/** TensorFlow.js's wasm backend as it ships. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

setWasmPaths(`${process.cwd()}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
