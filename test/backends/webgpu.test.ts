import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { useBackend } from '../../src/runtime/backends.js';
import { doctor } from '../../src/runtime/doctor.js';
import { backendNames } from '../backends.js';

const silent = { log: () => {} };

describe.runIf(backendNames.includes('webgpu'))('webgpu in Node through Dawn', () => {
  test('opens a device, names its software adapter, computes, and keeps the device of the caller', async () => {
    const { dawn } = await import('../webgpu.js');
    const gpu = await dawn();
    const lines: string[] = [];
    const choice = await useBackend('webgpu', { gpu, log: (line) => lines.push(line) });
    expect(choice).toMatchObject({ name: 'webgpu', software: true, threads: null });
    expect(choice.adapter).toMatch(/SwiftShader/);
    expect(lines).toEqual([
      expect.stringMatching(/^pyconvunet: backend 'webgpu' \(software adapter .*SwiftShader.*\)\. /),
    ]);
    const y = tf.matMul([[1, 2]], [[3], [4]]);
    expect([...(await y.data())]).toEqual([11]);
    y.dispose();

    const device = await ((await (gpu as GPU).requestAdapter()) as GPUAdapter).requestDevice();
    await expect(useBackend('webgpu', { device })).rejects.toThrow(
      "Backend 'webgpu' runs on another device already. Call tf.removeBackend('webgpu') first, which disposes of its tensors.",
    );
    tf.removeBackend('webgpu');
    await useBackend('webgpu', { device, log: () => {} });
    const z = tf.add([1], [2]);
    expect([...(await z.data())]).toEqual([3]);
    z.dispose();
    tf.removeBackend('webgpu');
    const buffer = device.createBuffer({ size: 4, usage: 8 });
    device.queue.writeBuffer(buffer, 0, new Float32Array([1]));
    await device.queue.onSubmittedWorkDone();
    buffer.destroy();
  });

  test("'auto' takes a software adapter only where there is nothing else", async () => {
    const { dawn } = await import('../webgpu.js');
    const gpu = await dawn();
    await import('../../src/wasm.js');
    const choice = await useBackend('auto', { gpu, log: () => {} });
    expect(choice.name).toBe('wasm');
    expect(choice.reason).toMatch(/Passed over: .*'webgpu' \(its adapter .*SwiftShader.* computes on the CPU\)/);
    const report = (await doctor({ gpu })).backends.find(({ name }) => name === 'webgpu');
    expect(report).toMatchObject({ available: true, forward: true, training: true, software: true });
  });

  test('adds up integers and booleans that were cast to float32, over any axis', async () => {
    const { dawn } = await import('../webgpu.js');
    await useBackend('webgpu', { gpu: await dawn(), ...silent });
    // Large enough that tfjs does not compute on the CPU.
    const x = tf.tile(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3], 'int32'), [1, 1000]);
    for (const [integers, expected] of [
      [x, [5, 7, 9]],
      [tf.greater(x, 3), [1, 1, 1]],
    ] as const) {
      const sums = tf.tidy(() => tf.sum(tf.cast(integers, 'float32'), 0));
      expect([...(await sums.data()).slice(0, 3)]).toEqual(expected);
      tf.dispose([integers, sums]);
    }
  });
});
