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

test('a block is never shorter than asked for: a free one near the end of the heap is not taken for a longer one', async () => {
  await tf.setBackend('wasm');
  const backend = tf.backend() as BackendWasm;
  const end = (info: tf.TensorInfo) => backend.getMemoryOffset(info.dataId) + 4 * tf.util.sizeFromShape(info.shape);
  const large = backend.makeOutput([8e8], 'float32');
  backend.disposeData(large.dataId);
  // Two of 1.5 GB find room there; what is left behind them has 200 MB, and 1.5 GB more would end beyond 4 GiB.
  const pair = [1, 2].map(() => backend.makeOutput([3.75e8], 'float32'));
  expect(() => backend.makeOutput([3.75e8], 'float32')).toThrow(OutOfMemoryError);
  // What was held back is there again.
  const small = backend.makeOutput([4e7], 'float32');
  const { length } = (backend.wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8;
  for (const info of [...pair, small]) expect(end(info)).toBeLessThanOrEqual(length);
  for (const { dataId } of [...pair, small]) backend.disposeData(dataId);
});
