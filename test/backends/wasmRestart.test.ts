import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../../src/wasm.js';
import { expect, test } from 'vitest';
import { restoreRegistration } from '../../src/kernels/wasm/embeddedBinary.js';
import { useBackend } from '../../src/runtime/backends.js';

const silent = { log: () => {} };

async function expectThatItComputes(): Promise<void> {
  expect(tf.getBackend()).toBe('wasm');
  const sum = tf.add([1], [2]);
  expect([...(await sum.data())]).toEqual([3]);
  sum.dispose();
}

test('two calls for the best backend at the same time both get wasm', async () => {
  const calls = await Promise.allSettled([useBackend('auto', silent), useBackend('auto', silent)]);
  for (const call of calls) expect(call).toMatchObject({ status: 'fulfilled', value: { name: 'wasm' } });
  await expectThatItComputes();
});

test('tf.removeBackend takes it away until useBackend is called again', async () => {
  for (let round = 0; round < 2; round++) {
    tf.removeBackend('wasm');
    await expect(async () => tf.setBackend('wasm')).rejects.toThrow(/not found in registry/);
    await useBackend('wasm', silent);
    await expectThatItComputes();
  }
});

test("starts that overlap leave the platform's fetch as it was", async () => {
  tf.removeBackend('wasm');
  await tf.setBackend('cpu');
  restoreRegistration();
  const { platform } = tf.env();
  const { fetch } = platform;
  // tfjs gives the first one up when the second one begins.
  const starts = [tf.setBackend('wasm'), tf.setBackend('wasm')];
  expect(platform.fetch).not.toBe(fetch);
  expect(await Promise.all(starts)).toEqual([false, true]);
  expect(platform.fetch).toBe(fetch);
  await expectThatItComputes();
});
