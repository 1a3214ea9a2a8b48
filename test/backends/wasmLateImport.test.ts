import { type BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { OutOfMemoryError } from '../../src/runtime/errors.js';

test('importing pyconvunet/wasm beside a backend that runs keeps its tensors and adds the kernels', async () => {
  setWasmPaths(`${process.cwd()}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
  await tf.setBackend('wasm');
  const backend = tf.backend() as BackendWasm;
  const x = tf.ones([1, 3, 3, 1]);
  await import('../../src/wasm.js');
  expect(tf.backend()).toBe(backend);
  const gradient: tf.Tensor = tf
    .engine()
    .runKernel(
      'Conv2DBackpropFilter',
      { x, dy: tf.ones([1, 2, 2, 1]) },
      { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', filterShape: [2, 2, 1, 1] },
    );
  expect([...gradient.dataSync()]).toEqual([4, 4, 4, 4]);
  expect(() => [1, 2, 3, 4, 5].map(() => backend.makeOutput([2 ** 28], 'float32'))).toThrow(OutOfMemoryError);
});
