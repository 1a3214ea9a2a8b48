/** The kernels of this package on two threads over a shared heap of tfjs: the same bits as on one. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of tfjs's own ops, as the package does.
import '@tensorflow/tfjs-layers';
import '../../../src/wasm.js';
import { afterAll, expect, test, vi } from 'vitest';
import { optimizeForInference } from '../../../src/inference/index.js';
import { programsOf } from '../../../src/kernels/wasm/programCache.js';
import { withSharedMemory } from '../../../src/kernels/wasm/sharedHeap.js';
import * as models from '../../../src/models/index.js';
import { batchNorm, pyConv2d } from '../../../src/ops/index.js';
import { trainingBytes } from '../../../src/plan/index.js';
import { useBackend } from '../../../src/runtime/backends.js';
import { doctor } from '../../../src/runtime/doctor.js';
import { InvalidArgumentError } from '../../../src/runtime/errors.js';

const silent = { log: () => {} };
const backend = (): BackendWasm => tf.backend() as BackendWasm;
const heap = () => (backend().wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8;

afterAll(() => tf.removeBackend('wasm'));

/** Values of convolutions of every algorithm, of tfjs's convolutions, of a normalisation, and of their gradients. */
function results(): Float32Array[] {
  const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);
  const gradients = (f: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]) => [
    f(...inputs),
    ...tf.grads(f)(inputs, random(f(...inputs).shape, 9)),
  ];
  const pyramid =
    (options: object) =>
    (x: tf.Tensor, ...filters: tf.Tensor[]) =>
      pyConv2d(x as tf.Tensor4D, filters as tf.Tensor4D[], options);
  return tf.tidy(() => {
    const x = random([2, 61, 58, 16], 1);
    const tensors = [
      ...gradients(pyramid({ groups: [1, 4, 8, 16], activation: 'relu' }), [
        x,
        random([3, 3, 16, 8], 2),
        random([5, 5, 4, 8], 3),
        random([7, 7, 2, 16], 4),
        random([9, 9, 1, 16], 5),
      ]),
      ...gradients(pyramid({ strides: 2 }), [x, random([3, 3, 16, 8], 2)]),
      ...gradients(pyramid({ dilations: 2, groups: 2 }), [x, random([3, 3, 8, 8], 2)]),
      ...gradients(pyramid({}), [x, random([1, 1, 16, 24], 2)]),
      ...gradients((a, f) => tf.conv2d(a as tf.Tensor4D, f as tf.Tensor4D, 1, 'same'), [x, random([3, 3, 16, 12], 2)]),
      ...gradients((a) => batchNorm(a, { activation: 'relu' }).y, [x]),
      ...gradients((a) => batchNorm(a, {}).y, [random([2, 60, 50, 5], 6)]),
    ];
    return tensors.map((tensor) => tensor.dataSync<'float32'>().slice());
  });
}

/** Where two results differ in a bit, or -1. */
function firstDifference(actual: Float32Array | undefined, expected: Float32Array): number {
  const [a, b] = [actual ?? new Float32Array(), expected].map(({ buffer }) => new Int32Array(buffer));
  if (a?.length !== b?.length) return 0;
  return a?.findIndex((bits, i) => bits !== b?.[i]) ?? 0;
}

/** Waits until the workers have come, so that they take part. */
async function workersOf(threads: number): Promise<void> {
  const { engine } = programsOf(backend()) as unknown as { engine: { pool: { registered: number } } };
  while (engine.pool.registered < threads - 1) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('two threads share the heap and give the same bits as one, in which the heap is a plain one', async () => {
  const choice = await useBackend('wasm', { threads: 2, ...silent });
  expect(choice.threads).toBe(2);
  expect(choice.reason).toBe(
    "It was asked for by name. WebAssembly SIMD, this package's kernels on 2 threads in a shared heap.",
  );
  expect(heap().buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(programsOf(backend()).threads).toBe(2);
  // A call without the option finds it so.
  expect(await useBackend('wasm', silent)).toEqual(choice);
  await workersOf(2);
  const shared = results();
  // Again, in programs that the workers know by now.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const again = results();
  tf.removeBackend('wasm');
  // The number of the call before does not stay.
  expect((await useBackend('wasm', silent)).threads).toBe(1);
  expect(heap().buffer).toBeInstanceOf(ArrayBuffer);
  expect(programsOf(backend()).threads).toBe(1);
  const plain = results();
  expect(shared).toHaveLength(plain.length);
  for (const [i, values] of plain.entries()) {
    expect(values.some((value) => value !== 0)).toBe(true);
    expect(firstDifference(shared[i], values), `result ${i}`).toBe(-1);
    expect(firstDifference(again[i], values), `result ${i}, again`).toBe(-1);
  }
});

test('where the threads have ended, the next call starts others', async () => {
  tf.removeBackend('wasm');
  await useBackend('wasm', { threads: 2, ...silent });
  const run = () =>
    tf.tidy(
      () => pyConv2d(tf.ones<tf.Rank.R4>([1, 40, 40, 8]), [tf.ones<tf.Rank.R4>([5, 5, 8, 8])]).dataSync()[41 * 8],
    );
  const first = run();
  const before = programsOf(backend());
  before.stop();
  expect(before.isLost).toBe(true);
  expect(run()).toBe(first);
  expect(programsOf(backend())).not.toBe(before);
  expect(before.bytes).toBe(0);
  const { engine } = programsOf(backend()) as unknown as { engine: { isLost: boolean } };
  tf.removeBackend('wasm');
  expect(engine.isLost).toBe(true);
});

test('what a lost thread may still write to is given to nobody, nor when others are started', async () => {
  await useBackend('wasm', { threads: 2, ...silent });
  const [x, filter] = [tf.ones<tf.Rank.R4>([1, 40, 40, 8]), tf.ones<tf.Rank.R4>([5, 5, 8, 8])];
  const ours = [
    () => tf.tidy(() => pyConv2d(x, [filter]).dataSync()[41 * 8]),
    () => tf.tidy(() => batchNorm(x, {}).y.dataSync()[0]),
  ];
  for (const run of ours) {
    const first = run();
    const before = programsOf(backend());
    const { pool } = (before as unknown as { engine: { pool: { run(id: number): void; lose(): Error } } }).engine;
    pool.run = () => {
      throw pool.lose();
    };
    const { wasm } = backend() as unknown as { wasm: { _free(offset: number): void } };
    const free = vi.spyOn(wasm, '_free');
    const disposeData = vi.spyOn(backend(), 'disposeData');
    expect(run).toThrow(/^A thread of the planned engine has done nothing for 10 s in the middle of a run/);
    expect(before.isLost).toBe(true);
    expect(programsOf(backend())).not.toBe(before);
    expect(free).not.toHaveBeenCalled();
    expect(disposeData).not.toHaveBeenCalled();
    free.mockRestore();
    disposeData.mockRestore();
    expect(run()).toBe(first);
  }
  tf.removeBackend('wasm');
});

test('a binary that is not that of tfjs 4.22 is refused', () => {
  const header = [0, 97, 115, 109, 1, 0, 0, 0];
  // A memory of one page without a maximum.
  for (const module of [header, [...header, 5, 3, 1, 0, 1]]) {
    expect(() => withSharedMemory(Uint8Array.from(module))).toThrow(
      'The binary of backend wasm has no memory that can be shared: it is not that of @tensorflow/tfjs-backend-wasm 4.22.',
    );
  }
});

test('a backend that runs keeps its number of threads', async () => {
  await useBackend('wasm', { threads: 1, ...silent });
  expect((await useBackend('wasm', silent)).threads).toBe(1);
  const attempt = useBackend('wasm', { threads: 3, ...silent });
  await expect(attempt).rejects.toBeInstanceOf(InvalidArgumentError);
  await expect(attempt).rejects.toThrow(
    "Backend wasm takes its number of threads when it starts. Received: threads=3, while it runs with 1. Ask for threads before anything else starts it, or call tf.removeBackend('wasm') first, which disposes of its tensors.",
  );
  await expect(useBackend('auto', { threads: 3, ...silent })).rejects.toBeInstanceOf(InvalidArgumentError);
});

test('options that are illegal, or of another backend, are refused', async () => {
  await expect(useBackend('wasm', { threads: 0, ...silent })).rejects.toThrow(
    'threads must be a whole number from 1 to 64. Received: threads=0.',
  );
  await expect(useBackend('cpu', { threads: 2, ...silent })).rejects.toThrow(
    "Option 'threads' is for backend 'wasm'. Received: backend 'cpu'. Leave it out or call useBackend('wasm', {threads}).",
  );
  const wrong = { convolutions: 'mine', ...silent } as unknown as Parameters<typeof useBackend>[1];
  await expect(useBackend('wasm', wrong)).rejects.toThrow(
    "convolutions must be 'fastest' or 'tfjs'. Received: convolutions='mine'.",
  );
});

test('where memory cannot be shared there is one thread, and the reason says so', async () => {
  tf.removeBackend('wasm');
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      if (descriptor.shared === true && descriptor.maximum === 65536) throw new RangeError('no');
      super(descriptor);
    }
  };
  try {
    const choice = await useBackend('wasm', { threads: 2, ...silent });
    expect(choice.threads).toBe(1);
    expect(choice.reason).toBe(
      'It was asked for by name. WebAssembly SIMD on one thread instead of 2: memory cannot be shared here (in a browser: the page is not cross-origin isolated).',
    );
    expect(heap().buffer).toBeInstanceOf(ArrayBuffer);
    // The same wish again is no other one.
    expect((await useBackend('wasm', { threads: 2, ...silent })).threads).toBe(1);
    const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const [one, two] = [await optimizeForInference(model), await optimizeForInference(model, { threads: 2 })];
    expect([one.threads, two.threads]).toEqual([1, 1]);
    const [batches, shape] = [[1], [16, 16, 1]] as const;
    expect(trainingBytes(model, batches, shape, { threads: 2 })).toBe(trainingBytes(model, batches, shape));
    const { backends } = await doctor();
    expect(backends.find(({ name }) => name === 'wasm')?.engine?.threads).toEqual({
      possible: 1,
      reason: 'This runtime refuses shared memories of 4096 MB.',
    });
  } finally {
    WebAssembly.Memory = Memory;
  }
});

test("an option keeps tfjs's own convolutions, and gives the faster ones back", async () => {
  const run = () => {
    const size = programsOf(backend()).size;
    const width = 20 + size;
    const y = tf.tidy(() => {
      const x = tf.randomNormal<tf.Rank.R4>([1, 20, width, 4], 0, 1, 'float32', 1);
      return tf.conv2d(x, tf.randomNormal<tf.Rank.R4>([3, 3, 4, 4], 0, 1, 'float32', 2), 1, 'same');
    });
    y.dispose();
    return programsOf(backend()).size > size;
  };
  expect(run()).toBe(true);
  await useBackend('wasm', { convolutions: 'tfjs', ...silent });
  expect(run()).toBe(false);
  await useBackend('wasm', silent);
  expect(run()).toBe(false);
  await useBackend('wasm', { convolutions: 'fastest', ...silent });
  expect(run()).toBe(true);
});
