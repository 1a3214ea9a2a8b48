/** What doctor says of a backend that runs. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { doctor } from '../../src/runtime/doctor.js';
import { startBackend } from '../backends.js';

beforeAll(() => startBackend('wasm'));

test('the heap of TensorFlow.js, as large as it is; the backend and its tensors stay as they were', async () => {
  const x = tf.tensor1d([1, 2, 3]);
  const before = tf.memory().numTensors;
  const { backends } = await doctor();
  const wasm = backends.find(({ name }) => name === 'wasm');
  const { HEAPU8: heap } = (tf.backend() as BackendWasm).wasm as unknown as { HEAPU8: Uint8Array };
  expect(wasm).toMatchObject({ current: true, engine: { memory: { heap: heap.length } } });
  expect(tf.memory().numTensors).toBe(before);
  expect([...x.dataSync()]).toEqual([1, 2, 3]);
  x.dispose();
});
