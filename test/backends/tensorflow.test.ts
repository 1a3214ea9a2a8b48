/** Backend tensorflow with a package in the place of tfjs-node, which does at its import what that one does. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../../src/tensorflow.js';
import { expect, test, vi } from 'vitest';
import { useBackend } from '../../src/runtime/backends.js';
import { doctor } from '../../src/runtime/doctor.js';

class EmptyBackend extends tf.KernelBackend {
  override dispose(): void {}
}

const imported = vi.fn();

/** Node imports a package once; here each call stands for an installation that was not imported yet. */
function install(): void {
  vi.doMock('@tensorflow/tfjs-node-gpu', async () => {
    imported();
    tf.registerBackend('tensorflow', () => new EmptyBackend(), 3);
    await tf.setBackend('tensorflow');
    return {};
  });
}

test.each(['cpu', ''])('doctor loads the package and leaves the current backend (%o) as it was', async (previous) => {
  install();
  imported.mockClear();
  for (const name of ['cpu', 'tensorflow']) {
    if (name !== previous && tf.findBackendFactory(name) !== null) tf.removeBackend(name);
  }
  if (previous) await tf.setBackend(previous);
  const started = Object.keys(tf.engine().registry);
  const before = tf.getBackend();
  const report = (await doctor()).backends.find(({ name }) => name === 'tensorflow');
  expect(imported).toHaveBeenCalledOnce();
  expect(report).toMatchObject({
    available: true,
    reason: 'TensorFlow through @tensorflow/tfjs-node-gpu.',
    current: false,
  });
  expect(tf.getBackend()).toBe(before);
  expect(Object.keys(tf.engine().registry)).toEqual(started);
  expect(await useBackend('tensorflow', { log: () => {} })).toMatchObject({ name: 'tensorflow' });
  expect(tf.getBackend()).toBe('tensorflow');
});

test('tf.removeBackend takes it away until useBackend is called again', async () => {
  imported.mockClear();
  tf.removeBackend('tensorflow');
  await useBackend('tensorflow', { log: () => {} });
  expect(tf.getBackend()).toBe('tensorflow');
  expect(imported).not.toHaveBeenCalled();
});
