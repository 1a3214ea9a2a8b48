import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';

test('importing pyconvunet/wasm suffices for tf.setBackend: no path, no request', async () => {
  const requested: string[] = [];
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    requested.push(String(input));
    return fetch(input, init);
  };
  const platformFetch = tf.env().platform.fetch;
  await import('../../src/wasm.js');
  expect(await tf.setBackend('wasm')).toBe(true);
  globalThis.fetch = fetch;
  expect(requested).toEqual([]);
  expect(tf.env().platform.fetch).toBe(platformFetch);
  const sum = tf.add([1, 2], [3, 4]);
  expect([...sum.dataSync()]).toEqual([4, 6]);
  sum.dispose();
});
