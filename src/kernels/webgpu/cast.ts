/**
 * Cast on webgpu. tfjs leaves the integers of an int32 or bool tensor in the buffer and only calls them float32; a transposition
 * of such a tensor, which every sum over another axis than the last makes, then has a shader that does not compile, and the
 * result is whatever the buffer held.
 */
import * as tf from '@tensorflow/tfjs-core';

let registered = false;

/** Registers a Cast that converts integers to float32; a second call changes nothing. */
export function registerCast(): void {
  if (registered) return;
  registered = true;
  const original = tf.getKernel(tf.Cast, 'webgpu');
  tf.unregisterKernel(tf.Cast, 'webgpu');
  tf.registerKernel({
    ...original,
    kernelFunc: (args) => {
      const x = args.inputs.x as tf.Tensor;
      const isInteger = x.dtype === 'int32' || x.dtype === 'bool';
      if (!isInteger || args.attrs?.dtype !== 'float32') return original.kernelFunc(args);
      // By kernel: the op tf.mul would cast first.
      return tf.tidy(() => tf.engine().runKernel<tf.Tensor>(tf.Multiply, { a: x, b: tf.scalar(1) }));
    },
  });
}
