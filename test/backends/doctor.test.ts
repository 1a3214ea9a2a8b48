import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, test, vi } from 'vitest';
import { doctor } from '../../src/runtime/doctor.js';

const require = createRequire(import.meta.url);

afterEach(() => vi.restoreAllMocks());

// The order of these tests counts: imports stay.

test('names the import line of each backend that is missing', async () => {
  const { backends, problems } = await doctor();
  expect(backends.map(({ name }) => name)).toEqual(['webgpu', 'tensorflow', 'wasm', 'webgl', 'cpu']);
  for (const { available, reason, forward, training } of backends) {
    expect({ available, forward, training }).toEqual({ available: false, forward: false, training: false });
    expect(reason).toMatch(/^Not imported\. Add the line: import '[\w@/-]+';$/);
  }
  expect(problems).toEqual(["No backend is available. Add the line: import 'pyconvunet/wasm';"]);
});

test("reads from the kernel registry that tfjs's own wasm cannot train, and that ours can", async () => {
  await import('@tensorflow/tfjs-backend-wasm');
  const plain = (await doctor()).backends.find(({ name }) => name === 'wasm');
  expect(plain).toMatchObject({ available: true, forward: true, training: false });
  expect(plain?.missing).toEqual(['Conv2DBackpropFilter']);
  expect(plain?.reason).toBe(
    "Registered by its own TensorFlow.js package; import 'pyconvunet/wasm' adds the kernels that training needs.",
  );
  await import('../../src/wasm.js');
  const ours = (await doctor()).backends.find(({ name }) => name === 'wasm');
  expect(ours).toEqual({
    name: 'wasm',
    available: true,
    reason: 'WebAssembly SIMD on one thread.',
    forward: true,
    training: true,
    missing: [],
    current: false,
    adapter: null,
    software: false,
  });
});

test('says what stands in the way of webgpu and tensorflow here, and starts nothing', async () => {
  await import('../../src/webgpu.js');
  await import('../../src/tensorflow.js');
  const { backends } = await doctor();
  const reasons = Object.fromEntries(backends.map(({ name, reason }) => [name, reason]));
  expect(reasons.webgpu).toBe(
    'There is no navigator.gpu. Use a browser with WebGPU or Deno, or in Node pass an object of the package webgpu (Dawn): ' +
      "useBackend('webgpu', { gpu: create([]) }).",
  );
  expect(reasons.tensorflow).toBe(
    "Package '@tensorflow/tfjs-node' is not installed. Install it: npm install @tensorflow/tfjs-node (or @tensorflow/tfjs-node-gpu).",
  );
  expect(Object.keys(tf.engine().registry)).toEqual([]);
});

test('says that SIMD is missing, and why wasm is not available then', async () => {
  vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  const { simd, backends, problems } = await doctor();
  expect(simd).toBe(false);
  const sentence =
    'Backend wasm needs WebAssembly SIMD, which this runtime does not have. ' +
    'Use Chrome 91, Firefox 89, Safari 16.4, Node 20.19 or later, or another backend.';
  expect(backends.find(({ name }) => name === 'wasm')).toMatchObject({
    available: false,
    forward: false,
    reason: sentence,
  });
  expect(problems[0]).toMatch(/^This runtime has no WebAssembly SIMD/);
  // tf.setBackend prints the reason and answers false.
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  expect(await tf.setBackend('wasm')).toBe(false);
  expect(String(warn.mock.calls)).toContain(sentence);
});

test('reports the runtime and its cores', async () => {
  const report = await doctor();
  expect(report.runtime).toEqual({ name: 'node', version: process.versions.node });
  expect(report).toMatchObject({ simd: true, sharedMemory: true, crossOriginIsolated: null });
  expect(report.cores).toBeGreaterThan(0);
  expect(report.tfjs).toEqual({ version: tf.version_core, copies: 1, evidence: [] });
});

test('sees a second copy of tfjs-core', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  require('@tensorflow/tfjs-core/dist/tf-core.es2017.js');
  const { tfjs, problems } = await doctor();
  expect(tfjs).toEqual({
    version: tf.version_core,
    copies: 2,
    evidence: [
      'Another copy of @tensorflow/tfjs-core was loaded later.',
      "Let the package manager or bundler keep one ('npm ls @tensorflow/tfjs-core' lists them).",
    ],
  });
  expect(problems).toEqual(expect.arrayContaining([...tfjs.evidence]));
});
