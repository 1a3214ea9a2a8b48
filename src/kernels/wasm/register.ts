/** Registering kernels for backend wasm with tfjs's types, over whatever is registered under the same name. */
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { guardAllocations } from './heap.js';

/** The arguments of a kernel on backend wasm. */
export interface WasmKernelArguments<Inputs, Attrs> {
  readonly inputs: Inputs;
  readonly attrs: Attrs;
  readonly backend: BackendWasm;
}

/** A kernel on backend wasm; it may return tensors made by ops or infos made by `backend.makeOutput`, not both. */
export type WasmKernel<Inputs, Attrs> = (args: WasmKernelArguments<Inputs, Attrs>) => tf.TensorInfo | tf.TensorInfo[];

/** Runs the kernel that one of ours stands for, with the arguments that ours was given. */
export function runOriginal<Inputs, Attrs>(
  original: tf.KernelConfig,
  args: WasmKernelArguments<Inputs, Attrs>,
): tf.TensorInfo | tf.TensorInfo[] {
  // The way back of the cast below.
  return original.kernelFunc(args as unknown as Parameters<tf.KernelFunc>[0]);
}

/** What tfjs's registry does not know: whose functions its kernels are. */
const ours = new WeakSet<tf.KernelFunc>();

/** Whether a registered kernel is of this package. */
export const isOurs = ({ kernelFunc }: tf.KernelConfig): boolean => ours.has(kernelFunc);

/** Registers a kernel for backend wasm; one that is there already is replaced, without tfjs's warning. */
export function registerWasmKernel<Inputs, Attrs>(
  kernelName: string,
  kernel: WasmKernel<Inputs, Attrs>,
  setupFunc?: (backend: object) => void,
): void {
  if (tf.getKernel(kernelName, 'wasm') !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  const config: tf.KernelConfig = {
    kernelName,
    backendName: 'wasm',
    // tfjs's registry is untyped here: it hands over the inputs, attributes and backend that the op's contract names.
    kernelFunc: (args) => kernel(args as unknown as WasmKernelArguments<Inputs, Attrs>),
    // tfjs calls it whenever the backend becomes current, also after a start that was under way before this package came.
    setupFunc: (backend) => {
      if (backend instanceof BackendWasm) guardAllocations(backend);
      setupFunc?.(backend);
    },
  };
  ours.add(config.kernelFunc);
  tf.registerKernel(config);
}
