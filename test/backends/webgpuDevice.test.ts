/** Backend webgpu on a device that the caller hands over, where there is no navigator.gpu; the device computes nothing. */
import * as tf from '@tensorflow/tfjs-core';
import '../../src/webgpu.js';
import { expect, test } from 'vitest';
import { useBackend } from '../../src/runtime/backends.js';

class FakeBuffer {
  destroy(): void {}
}

test('leaves no navigator.gpu without requestAdapter behind', async () => {
  const navigatorBefore: unknown = Reflect.get(globalThis, 'navigator');
  const device = { createBuffer: () => new FakeBuffer(), queue: {}, features: new Set(), limits: {} };
  expect(await useBackend('webgpu', { device, log: () => {} })).toMatchObject({ name: 'webgpu' });
  expect(tf.getBackend()).toBe('webgpu');
  const after: unknown = Reflect.get(globalThis, 'navigator');
  expect(after).toBe(navigatorBefore);
  expect(typeof after === 'object' && after !== null && 'gpu' in after).toBe(false);
});
