/**
 * Identity and Cast to the same type share the memory on wasm, as on tfjs's other backends. tfjs copies here, and since the
 * tape clones every tensor that it saves, training would hold each map twice.
 */
import * as tf from '@tensorflow/tfjs-core';
import { moveHere } from './heap.js';
import { registerWasmKernel, runOriginal, type WasmKernelArguments } from './register.js';

interface Inputs {
  readonly x: tf.TensorInfo;
}

function share({ inputs, backend }: WasmKernelArguments<Inputs, unknown>): tf.TensorInfo {
  const { dataId, shape, dtype } = inputs.x;
  moveHere(backend, [inputs.x]);
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}

/** Registers an Identity and a Cast that share memory where nothing changes. */
export function registerIdentity(): void {
  const cast = tf.getKernel(tf.Cast, 'wasm');
  registerWasmKernel<Inputs, unknown>(tf.Identity, share);
  registerWasmKernel<Inputs, tf.CastAttrs>(tf.Cast, (args) =>
    args.inputs.x.dtype === args.attrs.dtype ? share(args) : runOriginal(cast, args),
  );
}
