/** The backends under test: PYCONVUNET_BACKENDS (default cpu,wasm), and a `describe` that runs a suite on each of them. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect } from 'vitest';
import { useBackend } from '../src/runtime/backends.js';

/** Names of the backends under test. */
export const backendNames: readonly string[] = (process.env.PYCONVUNET_BACKENDS ?? 'cpu,wasm')
  .split(',')
  .map((name) => name.trim())
  .filter((name) => name.length > 0);

/** Imports a backend's entry and makes the backend tfjs's current one. */
export async function startBackend(name: string): Promise<void> {
  if (tf.getBackend() === name) return;
  const options: { gpu?: object } = {};
  if (name === 'cpu') await import('@tensorflow/tfjs-backend-cpu');
  else if (name === 'wasm') await import('../src/wasm.js');
  else if (name === 'webgpu') {
    const { dawn } = await import('./webgpu.js');
    options.gpu = await dawn();
  } else if (name === 'tensorflow') await import('../src/tensorflow.js');
  else throw new Error(`No backend under test is called '${name}'.`);
  await useBackend(name, { ...options, log: () => {} });
  if (name === 'webgpu') (await import('./webgpu.js')).watchDevice();
}

/** Fails if the GPU refused a shader or a command. */
async function expectNoDeviceErrors(): Promise<void> {
  const { deviceErrors } = await import('./webgpu.js');
  expect(await deviceErrors()).toEqual([]);
}

/** Runs a suite once on each backend under test. */
export function describeBackends(title: string, suite: (backendName: string) => void): void {
  describe.each(backendNames)(`${title} [%s]`, (name) => {
    beforeAll(() => startBackend(name), 120_000);
    if (name === 'webgpu') afterEach(expectNoDeviceErrors, 120_000);
    suite(name);
  });
}
