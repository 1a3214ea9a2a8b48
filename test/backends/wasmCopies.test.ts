import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../../src/wasm.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const dtype = fc.constantFrom('float32' as const, 'int32' as const, 'bool' as const);
const shape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });

/** Counts from 0 up: every position is told apart (bool: every second). */
function counted(size: number[], type: 'float32' | 'int32' | 'bool'): tf.Tensor {
  const values = Array.from({ length: tf.util.sizeFromShape(size) }, (_, i) => (type === 'bool' ? i % 2 : i));
  return tf.tensor(values, size, type);
}

/** Runs `f` on both backends; the results are equal to the bit, and nothing is left. */
async function expectAsOnCpu(f: () => tf.Tensor[]): Promise<void> {
  const results = [];
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    const buffers = tf.backend().numDataIds();
    results.push(
      tf.tidy(() =>
        f().map((tensor) => ({ shape: tensor.shape, dtype: tensor.dtype, values: [...tensor.dataSync()] })),
      ),
    );
    expect(tf.memory().numTensors).toBe(before);
    expect(tf.backend().numDataIds()).toBe(buffers);
  }
  expect(results[1]).toEqual(results[0]);
}

test('slices of any rank and type equal those of backend cpu', async () => {
  const part = shape.chain((whole) =>
    fc.tuple(
      fc.constant(whole),
      fc.tuple(...whole.map((length) => fc.integer({ min: 0, max: length }))),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: whole.length, maxLength: whole.length }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(part, dtype, async ([whole, begin, shares], type) => {
      const size = whole.map((length, axis) => Math.round(shares[axis] * (length - begin[axis])));
      await expectAsOnCpu(() => [tf.slice(counted(whole, type), begin, size)]);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('split, concatenation and reversal of any rank and type equal those of backend cpu', async () => {
  const cases = fc.tuple(
    shape,
    fc.nat(),
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
    dtype,
  );
  await fc.assert(
    fc.asyncProperty(cases, fc.nat(), async ([whole, position, parts, type], bits) => {
      const axis = position % whole.length;
      const shapes = parts.map((part) => whole.map((length, i) => (i === axis ? part : length)));
      const axes = whole.map((_, i) => i).filter((i) => (bits >> i) & 1);
      await expectAsOnCpu(() => {
        const joined = tf.concat(
          shapes.map((size) => counted(size, type)),
          axis,
        );
        return [joined, ...tf.split(joined, parts, axis), tf.reverse(joined, axes)];
      });
    }),
    { numRuns: 300, seed: 1 },
  );
});
