/** The bridge to tfjs's untyped kernel registry: kernels that take arrays of tensors and typed attributes. */
import * as tf from '@tensorflow/tfjs-core';

/** A kernel as this package writes it. */
export type ComposedKernel<Attrs> = (inputs: readonly tf.Tensor[], attrs: Attrs) => tf.Tensor | tf.Tensor[];

/** tfjs types the inputs of a kernel as a map and its attributes as plain JSON; arrays and objects pass through unchanged. */
const toArray = (inputs: tf.NamedTensorInfoMap): tf.Tensor[] => Object.values(inputs) as tf.Tensor[];

/** Runs one of our kernels on the current backend. */
export function runKernel<Attrs extends object>(
  kernelName: string,
  inputs: readonly tf.Tensor[],
  attrs: Attrs,
): tf.Tensor[] {
  // An array, since a registered gradient with saveAllInputs asserts one; the registry passes attributes on as they are.
  const map = [...inputs] as unknown as tf.NamedTensorMap;
  const result: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(kernelName, map, attrs as tf.NamedAttrMap);
  return Array.isArray(result) ? result : [result];
}

/** Wraps a composed kernel for tfjs's registry. Tidied, because tfjs counts a kernel's leftovers as a leak. */
export function kernelConfig<Attrs>(
  kernelName: string,
  backendName: string,
  kernel: ComposedKernel<Attrs>,
): tf.KernelConfig {
  return {
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs }) => tf.tidy(() => kernel(toArray(inputs), attrs as Attrs)),
  };
}

/** A gradient: from the gradients of the outputs and the saved tensors to one thunk per input, in order. */
export type ArrayGradient<Attrs> = (dys: tf.Tensor[], saved: tf.Tensor[], attrs: Attrs) => (() => tf.Tensor)[];

/** Registers the gradient of a kernel with array inputs; saves all inputs and the outputs that `outputsToSave` marks. */
export function registerArrayGradient<Attrs>(
  kernelName: string,
  outputsToSave: boolean[],
  gradient: ArrayGradient<Attrs>,
): void {
  tf.registerGradient({
    kernelName,
    saveAllInputs: true,
    outputsToSave,
    gradFunc: (dy, saved, attrs) => {
      const thunks = gradient(Array.isArray(dy) ? dy : [dy], saved, attrs as unknown as Attrs);
      return Object.fromEntries(thunks.map((thunk, i) => [String(i), thunk]));
    },
  });
}
