/** Access to the memory of tfjs's wasm backend for kernels written in TypeScript, and the check that tfjs leaves out. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type * as tf from '@tensorflow/tfjs-core';
import type { Block, Heap } from '../../engine/heap.js';
import { roundUp } from '../../engine/tiles.js';
import { OutOfMemoryError } from '../../runtime/errors.js';

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}

/** The part of Emscripten's module that this file uses; its own types are ambient and not installed with tfjs. */
interface EmscriptenHeap {
  _malloc(size: number): number;
  _free(offset: number): void;
  readonly HEAPU8: Uint8Array;
  /** Exports of the single-threaded build. */
  readonly asm: { readonly memory?: WebAssembly.Memory };
  /** The memory of the threaded build, which imports it. */
  readonly wasmMemory?: WebAssembly.Memory;
}

const moduleOf = ({ wasm }: BackendWasm): EmscriptenHeap => wasm as unknown as EmscriptenHeap;

/** Bytes of the heap; it never shrinks. */
export const heapBytes = (backend: BackendWasm): number => moduleOf(backend).HEAPU8.length;

/** Bytes that 32 bits can address. */
const ADDRESSES = 2 ** 32;

const guarded = new WeakSet<object>();

/**
 * Lets every allocation of a tensor fail with an {@link OutOfMemoryError}. tfjs does not look at malloc's result: at the end
 * of the heap it writes the tensor to address 0, over its own data, and the next call traps.
 *
 * @param backend A started wasm backend; a second call changes nothing.
 */
export function guardAllocations(backend: BackendWasm): void {
  const wasm = moduleOf(backend);
  if (guarded.has(wasm)) return;
  guarded.add(wasm);
  // Emscripten's own stubs replace themselves at the first call; afterwards the property is ours to wrap.
  wasm._free(wasm._malloc(1));
  const malloc = wasm._malloc;
  wasm._malloc = (size) => {
    const tooShort: number[] = [];
    try {
      for (;;) {
        // WebAssembly takes the number modulo 2 ** 32: of a larger block it would give out the rest only.
        const offset = size < ADDRESSES ? malloc(size) : 0;
        if (offset === 0) {
          throw new OutOfMemoryError(
            `Backend wasm could not get ${megabytes(size)} more; its heap holds ${megabytes(wasm.HEAPU8.length)} and ends at 4096 MB. ` +
              'Use a smaller batch or image, or dispose of tensors.',
          );
        }
        if ((offset >>> 0) + size <= wasm.HEAPU8.length) return offset;
        // The allocator adds modulo 2 ** 32 as well: a free block near the end, however short, seems to have room. It is held back until
        // another one is found.
        tooShort.push(offset);
      }
    } finally {
      for (const offset of tooShort) wasm._free(offset);
    }
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

/** tfjs aligns blocks to 8 bytes; vectors that lie across lines of the cache are slower. */
const ALIGNMENT = 64;

/** The memory of a backend, whose blocks tfjs's own allocator gives out. */
export class TfjsHeap implements Heap {
  readonly memory: WebAssembly.Memory;
  private readonly offsets = new Map<Block, number>();

  constructor(private readonly backend: BackendWasm) {
    guardAllocations(backend);
    const { asm, wasmMemory } = moduleOf(backend);
    const memory = asm.memory ?? wasmMemory;
    if (memory === undefined) {
      throw new Error('The memory of backend wasm was not found: pyconvunet knows @tensorflow/tfjs-backend-wasm 4.22.');
    }
    this.memory = memory;
  }

  allocate(bytes: number): Block {
    const offset = moduleOf(this.backend)._malloc(bytes + ALIGNMENT) >>> 0;
    const start = roundUp(offset, ALIGNMENT);
    const block = { start, end: start + bytes };
    this.offsets.set(block, offset);
    return block;
  }

  free(block: Block): void {
    const offset = this.offsets.get(block);
    if (offset === undefined) return;
    this.offsets.delete(block);
    moduleOf(this.backend)._free(offset);
  }
}
