import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '../../src/wasm.js';
import { expect, test } from 'vitest';
import { OutOfMemoryError } from '../../src/runtime/errors.js';

test('the end of the heap is an OutOfMemoryError, after which the backend works on', async () => {
  await tf.setBackend('wasm');
  const backend = tf.backend() as BackendWasm;
  const made: tf.TensorInfo[] = [];
  const fill = () => {
    for (let i = 0; i < 5; i++) made.push(backend.makeOutput([2 ** 28], 'float32'));
  };
  expect(fill).toThrow(OutOfMemoryError);
  expect(fill).toThrow(
    /^Backend wasm could not get 1024 MB more; its heap holds \d+ MB and ends at 4096 MB\. Use a smaller batch or image, or dispose of tensors\.$/,
  );
  for (const { dataId } of made) backend.disposeData(dataId);
  const sum = tf.add([1], [2]);
  expect([...sum.dataSync()]).toEqual([3]);
  sum.dispose();
});

test('a tensor beyond what 32 bits address is refused, not made of the rest of its size', async () => {
  await tf.setBackend('wasm');
  const backend = tf.backend() as BackendWasm;
  // 4 GiB and 64 bytes.
  expect(() => backend.makeOutput([2 ** 30 + 16], 'float32')).toThrow(OutOfMemoryError);
  expect(() => backend.makeOutput([2 ** 30 + 16], 'float32')).toThrow(
    /^Backend wasm could not get 4097 MB more; its heap holds \d+ MB and ends at 4096 MB\. Use a smaller batch or image, or dispose of tensors\.$/,
  );
});
