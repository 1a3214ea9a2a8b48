import { type BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { useBackend } from '../../src/runtime/backends.js';
import { InvalidArgumentError, OutOfMemoryError } from '../../src/runtime/errors.js';

test("options of this package's entry are refused where TensorFlow.js's own package was imported instead", async () => {
  const silent = { log: () => {} };
  for (const options of [{ threads: 2 }, { convolutions: 'tfjs' }] as const) {
    for (const name of ['wasm', 'auto']) {
      const attempt = useBackend(name, { ...options, ...silent });
      await expect(attempt).rejects.toBeInstanceOf(InvalidArgumentError);
      await expect(attempt).rejects.toThrow(
        `Option '${Object.keys(options)[0]}' is read by 'pyconvunet/wasm'. Received: backend 'wasm' of its own TensorFlow.js package. Add the line: import 'pyconvunet/wasm';`,
      );
    }
  }
  expect(Object.keys(tf.engine().registry)).toEqual([]);
});

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
