import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { useBackend } from '../../src/runtime/backends.js';
import { InvalidArgumentError, UnsupportedBackendError } from '../../src/runtime/errors.js';
import { type Probe, registerProvider } from '../../src/runtime/providers.js';

const silent = { log: () => {} };

class EmptyBackend extends tf.KernelBackend {
  override dispose(): void {}
}

/** Registers a backend that computes nothing under one of the known names; `factory` may fail as a real one does. */
function register(name: string, probe: Probe, factory: () => tf.KernelBackend = () => new EmptyBackend()): void {
  if (tf.findBackendFactory(name) !== null) tf.removeBackend(name);
  registerProvider({
    name,
    probe: async () => probe,
    start: async () => {
      tf.registerBackend(name, factory);
    },
  });
}

// The order of these tests counts: each adds to what is registered.

test('a backend that is not imported is refused with the line that is missing', async () => {
  for (const [name, module] of [
    ['wasm', 'pyconvunet/wasm'],
    ['webgpu', 'pyconvunet/webgpu'],
    ['tensorflow', 'pyconvunet/tensorflow'],
    ['webgl', '@tensorflow/tfjs-backend-webgl'],
    ['cpu', '@tensorflow/tfjs-backend-cpu'],
  ]) {
    const attempt = useBackend(name, silent);
    await expect(attempt).rejects.toBeInstanceOf(UnsupportedBackendError);
    await expect(attempt).rejects.toThrow(
      `Backend '${name}' is not registered. Registered are: none. Add the line: import '${module}';`,
    );
  }
  await expect(useBackend('metal', silent)).rejects.toThrow(
    "There is no backend 'metal'. Registered are: none. Use one of 'auto', 'webgpu', 'tensorflow', 'wasm', 'webgl', 'cpu'.",
  );
  await expect(useBackend('auto', silent)).rejects.toThrow(
    "No backend can start here. None is registered. Add the line: import 'pyconvunet/wasm';",
  );
});

test('a GPU device or object for a backend that takes none is refused', async () => {
  const attempt = useBackend('wasm', { device: {}, ...silent });
  await expect(attempt).rejects.toBeInstanceOf(InvalidArgumentError);
  await expect(attempt).rejects.toThrow(
    "Option 'device' is for backend 'webgpu'. Received: backend 'wasm'. Leave it out or call useBackend('webgpu', {device}).",
  );
});

test('a misspelt option is refused', async () => {
  const attempt = useBackend('wasm', { thread: 2, ...silent } as object);
  await expect(attempt).rejects.toBeInstanceOf(InvalidArgumentError);
  await expect(attempt).rejects.toThrow(
    "useBackend has no option 'thread'. Its options are log, device, gpu, threads, convolutions.",
  );
});

test("a backend that tfjs's own package registered can be used by name, and the choice is logged once", async () => {
  await import('@tensorflow/tfjs-backend-cpu');
  const lines: string[] = [];
  const choice = await useBackend('cpu', { log: (line) => lines.push(line) });
  expect(choice).toEqual({
    name: 'cpu',
    reason: 'It was asked for by name. Registered by its own TensorFlow.js package.',
    adapter: null,
    software: false,
    threads: 1,
    crossOriginIsolated: null,
  });
  expect(lines).toEqual([
    "pyconvunet: backend 'cpu' (1 thread). It was asked for by name. Registered by its own TensorFlow.js package.",
  ]);
  expect(tf.getBackend()).toBe('cpu');
});

test('without the option log the choice goes to console.info', async () => {
  const info = vi.spyOn(console, 'info').mockImplementation(() => {});
  await useBackend('cpu');
  expect(info).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^pyconvunet: backend 'cpu'/));
  info.mockRestore();
});

test('a backend that cannot start leaves the current one as it was', async () => {
  register('tensorflow', { available: false, reason: 'It is not installed.' });
  await expect(useBackend('tensorflow', silent)).rejects.toThrow(
    "Backend 'tensorflow' cannot start here: It is not installed.",
  );
  register('webgl', { available: true, reason: 'It looks well.' }, () => {
    throw new Error('It is not.');
  });
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  await expect(useBackend('webgl', silent)).rejects.toThrow(
    "Backend 'webgl' did not start; the warning that TensorFlow.js printed says why. Use another backend.",
  );
  warn.mockRestore();
  expect(tf.getBackend()).toBe('cpu');
  expect([...tf.tensor1d([1]).dataSync()]).toEqual([1]);
});

test("'auto' takes the best that suits: what fails, cannot start or is software only is passed over, and named", async () => {
  register('webgpu', { available: true, reason: 'Found.', adapter: 'SwiftShader', software: true });
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const last = await useBackend('auto', silent);
  expect(last.name).toBe('cpu');
  register('wasm', { available: true, reason: 'WebAssembly SIMD on one thread.' });
  const lines: string[] = [];
  const choice = await useBackend('auto', { log: (line) => lines.push(line) });
  warn.mockRestore();
  expect(choice.name).toBe('wasm');
  expect(lines).toEqual([
    "pyconvunet: backend 'wasm' (1 thread). It is the first of 'webgpu', 'tensorflow', 'wasm', 'webgl', 'cpu' that suits. " +
      "WebAssembly SIMD on one thread. Passed over: 'webgpu' (its adapter SwiftShader computes on the CPU); " +
      "'tensorflow' (It is not installed.).",
  ]);
  register('webgpu', { available: true, reason: 'The adapter is A100.', adapter: 'A100' });
  expect(await useBackend('auto', silent)).toMatchObject({ name: 'webgpu', adapter: 'A100', software: false });
});

test('a probe that throws is a backend that cannot start, except for an illegal argument', async () => {
  const fail = (error: Error) =>
    registerProvider({
      name: 'webgpu',
      probe: async () => {
        throw error;
      },
      start: async () => {},
    });
  fail(new Error('The driver hangs.'));
  const choice = await useBackend('auto', silent);
  expect(choice.name).toBe('wasm');
  expect(choice.reason).toContain("Passed over: 'webgpu' (The driver hangs.);");
  const attempt = useBackend('webgpu', silent);
  await expect(attempt).rejects.toBeInstanceOf(UnsupportedBackendError);
  await expect(attempt).rejects.toThrow("Backend 'webgpu' cannot start here: The driver hangs.");
  fail(new InvalidArgumentError("Option 'gpu' is wrong."));
  await expect(useBackend('auto', silent)).rejects.toThrow(/^Option 'gpu' is wrong\.$/);
});

test('calls at the same time run one after the other, also behind one that fails', async () => {
  const running = new Set<string>();
  const order: string[] = [];
  for (const name of ['wasm', 'tensorflow']) {
    if (tf.findBackendFactory(name) !== null) tf.removeBackend(name);
    registerProvider({
      name,
      probe: async () => ({ available: true, reason: 'Found.' }),
      start: async () => {
        expect(running.size).toBe(0);
        running.add(name);
        order.push(name);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running.delete(name);
        if (tf.findBackendFactory(name) === null) tf.registerBackend(name, async () => new EmptyBackend());
      },
    });
  }
  const calls = ['wasm', 'none', 'tensorflow', 'wasm'].map((name) => useBackend(name, silent));
  const results = await Promise.allSettled(calls);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(order).toEqual(['wasm', 'tensorflow', 'wasm']);
  expect(tf.getBackend()).toBe('wasm');
});

test('a backend that another call of tf.setBackend replaces while it starts is not reported as the current one', async () => {
  let finish = () => {};
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  if (tf.findBackendFactory('tensorflow') !== null) tf.removeBackend('tensorflow');
  registerProvider({
    name: 'tensorflow',
    probe: async () => ({ available: true, reason: 'Found.' }),
    start: async () => {
      tf.registerBackend('tensorflow', () => slow.then(() => new EmptyBackend()));
    },
  });
  const call = useBackend('tensorflow', silent);
  while (tf.getBackend() !== 'tensorflow') await new Promise((resolve) => setImmediate(resolve));
  await tf.setBackend('cpu');
  finish();
  await expect(call).rejects.toThrow(
    "Backend 'tensorflow' was replaced by 'cpu' while it started, by another call of tf.setBackend or tf.removeBackend. Await one before the other.",
  );
  expect(tf.getBackend()).toBe('cpu');
});

test('a software adapter serves where nothing else starts', async () => {
  const no = { available: false, reason: 'No.' };
  for (const name of ['tensorflow', 'wasm', 'webgl', 'cpu']) register(name, no);
  register('webgpu', { available: true, reason: 'Found.', adapter: 'SwiftShader', software: true });
  expect(await useBackend('auto', silent)).toMatchObject({ name: 'webgpu', software: true });
});
