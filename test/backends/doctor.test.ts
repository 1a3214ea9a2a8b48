import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, test, vi } from 'vitest';
import * as workers from '../../src/engine/threads/mayStartWorkers.js';
import { doctor } from '../../src/runtime/doctor.js';
import { isPassed } from '../../src/runtime/engineReport.js';
import * as environment from '../../src/runtime/environment.js';
import { detectEnvironment } from '../../src/runtime/environment.js';
import { findProvider } from '../../src/runtime/providers.js';

// Modules whose exports a test may replace.
vi.mock('../../src/runtime/environment.js', async (original) => ({ ...(await original<typeof environment>()) }));
vi.mock('../../src/engine/threads/mayStartWorkers.js', async (original) => ({ ...(await original<typeof workers>()) }));

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
  expect(plain?.engine).toBeNull();
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
    engine: expect.objectContaining({ simd: expect.stringMatching(/^(simd128|relaxed)$/) }),
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
    engine: null,
  });
  expect(problems[0]).toMatch(/^This runtime has no WebAssembly SIMD/);
  // tf.setBackend prints the reason and answers false.
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  expect(await tf.setBackend('wasm')).toBe(false);
  expect(String(warn.mock.calls)).toContain(sentence);
});

test('says of the engine whose kernels run, the instructions, threads and memory, and tests it', async () => {
  const started = Object.keys(tf.engine().registry);
  const { backends, problems } = await doctor();
  expect(problems).toEqual([]);
  const wasm = backends.find(({ name }) => name === 'wasm')?.engine;
  expect(wasm?.kernels.ours).toEqual(expect.arrayContaining(['BatchNorm', 'Conv2DBackpropFilter', 'PyConv2D']));
  expect(wasm?.kernels.ours).not.toContain('Relu');
  expect(wasm?.kernels.tfjs).toBe(tf.getKernelsForBackend('wasm').length - (wasm?.kernels.ours.length ?? Number.NaN));
  expect(wasm?.memory).toEqual({ limit: 2 ** 32, heap: null });
  expect(wasm?.selfTest).toHaveLength(18);
  expect(wasm?.selfTest.every(isPassed)).toBe(true);
  expect(Object.keys(tf.engine().registry)).toEqual(started);
  expect(backends.filter(({ engine }) => engine !== null).map(({ name }) => name)).toEqual(['wasm']);
});

test('counts no kernel as ours that somebody has put in its place', async () => {
  const engineOf = async () => (await doctor()).backends.find(({ name }) => name === 'wasm')?.engine;
  const before = await engineOf();
  const own = tf.getKernel('Reverse', 'wasm');
  tf.unregisterKernel('Reverse', 'wasm');
  tf.registerKernel({ ...own, kernelFunc: () => [] });
  const after = await engineOf();
  expect(after?.kernels.ours).toEqual(before?.kernels.ours.filter((name) => name !== 'Reverse'));
  expect(after?.kernels.tfjs).toBe((before?.kernels.tfjs ?? 0) + 1);
  tf.unregisterKernel('Reverse', 'wasm');
  tf.registerKernel(own);
});

const CORES = detectEnvironment().cores ?? Number.NaN;

test.each([
  [{}, CORES, `The machine has ${CORES} cores. Ask for threads by the option.`],
  [{ cores: 1 }, 1, 'The machine has one core.'],
  [{ cores: null }, 2, 'The runtime does not say how many cores there are.'],
  [{ sharedMemory: false }, 1, 'This runtime has no SharedArrayBuffer.'],
  [
    { sharedMemory: false, crossOriginIsolated: false },
    1,
    'The page is not cross-origin isolated. Serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
  ],
])('says how many threads are possible, and why not more: %j', async (here, possible, reason) => {
  const own = detectEnvironment();
  vi.spyOn(workers, 'mayStartWorkers').mockResolvedValue(null);
  vi.spyOn(environment, 'detectEnvironment').mockReturnValue({ ...own, ...here });
  const { backends } = await doctor();
  expect(backends.find(({ name }) => name === 'wasm')?.engine?.threads).toEqual({ possible, reason });
});

test('says that workers do not start', async () => {
  vi.spyOn(workers, 'mayStartWorkers').mockResolvedValue('the page does not allow workers');
  const { backends } = await doctor();
  expect(backends.find(({ name }) => name === 'wasm')?.engine?.threads).toEqual({
    possible: 1,
    reason: 'Workers do not start: the page does not allow workers.',
  });
});

test('has a problem where the engine is wrong, and where it does not run', async () => {
  const provider = findProvider('wasm');
  const right = await provider?.inspect?.();
  if (provider?.inspect === undefined || right === undefined) throw new Error('Backend wasm has an engine.');
  const test = { algorithm: '1x1', of: 'output', error: 0.25, bound: 1e-5 } as const;
  const inspect = vi
    .spyOn(provider, 'inspect')
    .mockResolvedValue({ ...right, selfTest: [test, { ...test, error: null }] });
  const report = await doctor();
  const rest = 'more than 0.00001. Use another backend, and report the runtime and the processor.';
  expect(report.problems).toEqual([
    `The planned engine computes wrong results here: 1x1, output, is off by 2.5e-1, ${rest}`,
    `The planned engine computes wrong results here: 1x1, output, is off by values that are not finite, ${rest}`,
  ]);
  inspect.mockRejectedValue(new Error('Wasm code generation disallowed by embedder.'));
  const { problems, backends } = await doctor();
  expect(problems).toEqual(['The planned engine does not run here: Wasm code generation disallowed by embedder.']);
  expect(backends.find(({ name }) => name === 'wasm')).toMatchObject({ available: true, engine: null });
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
