/** Access to the memory of tfjs's wasm backend for kernels written in TypeScript, and the check that tfjs leaves out. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type * as tf from '@tensorflow/tfjs-core';
import { OutOfMemoryError } from '../../runtime/errors.js';

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}

/** The part of Emscripten's module that this file uses; its own types are ambient and not installed with tfjs. */
interface EmscriptenHeap {
  _malloc(size: number): number;
  _free(offset: number): void;
  readonly HEAPU8: Uint8Array;
}

const guarded = new WeakSet<object>();

/**
 * Lets every allocation of a tensor fail with an {@link OutOfMemoryError}. tfjs does not look at malloc's result: at the end
 * of the heap it writes the tensor to address 0, over its own data, and the next call traps.
 *
 * @param backend A started wasm backend; a second call changes nothing.
 */
export function guardAllocations(backend: BackendWasm): void {
  const wasm = backend.wasm as unknown as EmscriptenHeap;
  if (guarded.has(wasm)) return;
  guarded.add(wasm);
  // Emscripten's own stubs replace themselves at the first call; afterwards the property is ours to wrap.
  wasm._free(wasm._malloc(1));
  const malloc = wasm._malloc;
  wasm._malloc = (size) => {
    const offset = malloc(size);
    if (offset === 0) {
      throw new OutOfMemoryError(
        `Backend wasm could not get ${megabytes(size)} more; its heap holds ${megabytes(wasm.HEAPU8.length)} and ends at 4096 MB. ` +
          'Use a smaller batch or image, or dispose of tensors.',
      );
    }
    return offset;
  };
}

/** Makes the float32 tensors that a kernel returns; memory of those made before is released if one does not fit. */
export function makeOutputs(backend: BackendWasm, shapes: readonly (readonly number[])[]): tf.TensorInfo[] {
  const outputs: tf.TensorInfo[] = [];
  try {
    for (const shape of shapes) outputs.push(backend.makeOutput([...shape], 'float32'));
  } catch (error) {
    for (const { dataId } of outputs) backend.disposeData(dataId);
    throw error;
  }
  return outputs;
}

/**
 * The values of float32 tensors, as views of the heap. Valid until the next allocation: growing the heap detaches them. So the inputs
 * must be here already ({@link moveHere}) and the outputs made.
 */
export function valuesOf(backend: BackendWasm, tensors: readonly tf.TensorInfo[]): Float32Array[] {
  return tensors.map((tensor) => {
    const values = backend.typedArrayFromHeap(tensor);
    if (values instanceof Float32Array) return values;
    throw new Error(`A kernel on wasm expected a float32 tensor. Received: ${tensor.dtype}.`);
  });
}

/** Moves the data of tensors that were made on another backend into the heap, before a view of it is taken. */
export function moveHere(backend: BackendWasm, tensors: readonly tf.TensorInfo[]): void {
  for (const { dataId } of tensors) backend.dataIdMap.get(dataId);
}
