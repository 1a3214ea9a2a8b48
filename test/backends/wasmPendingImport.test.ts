import { type BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { OutOfMemoryError } from '../../src/runtime/errors.js';

test('importing pyconvunet/wasm while the backend starts lets it start, and checks its allocations', async () => {
  // Loaded before, so that the import ends before the start does.
  const { embedBinary } = await import('../../src/kernels/wasm/embeddedBinary.js');
  const { registerWasmKernels } = await import('../../src/kernels/wasm/kernels.js');
  setWasmPaths(`${process.cwd()}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
  const start = tf.setBackend('wasm');
  embedBinary();
  registerWasmKernels();
  expect('wasm' in tf.engine().registry).toBe(false);
  expect(await start).toBe(true);
  const backend = tf.backend() as BackendWasm;
  expect(() => [1, 2, 3, 4, 5].map(() => backend.makeOutput([2 ** 28], 'float32'))).toThrow(OutOfMemoryError);
});
