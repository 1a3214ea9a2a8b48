import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '../../src/wasm.js';
import { expect, test } from 'vitest';

test('a path that the application sets, right or wrong, does not matter: the embedded binary is used', async () => {
  setWasmPaths('/no/such/folder/');
  expect(await tf.setBackend('wasm')).toBe(true);
  const sum = tf.add([1], [2]);
  expect([...sum.dataSync()]).toEqual([3]);
  sum.dispose();
});
