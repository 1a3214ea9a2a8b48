/**
 * Copying within the heap of wasm: what Slice, SplitV, Concat and Reverse consist of. tfjs reads a slice's whole input out of
 * the heap first and makes two views for every pixel, which costs more than the convolutions of a pyramidal layer's groups.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** Values of a tensor of numbers. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** Where runs of values lie: the first one's offset, and the distance from each to the next. */
interface Runs {
  readonly offset: number;
  readonly step: number;
}

/** Copies `count` runs of `size` values; short runs are most common, and calls cost more than their values. */
export function copyRuns(source: Values, from: Runs, target: Values, to: Runs, count: number, size: number): void {
  let i = from.offset;
  let o = to.offset;
  if (size > 32) {
    for (let run = 0; run < count; run++, i += from.step, o += to.step) target.set(source.subarray(i, i + size), o);
    return;
  }
  for (let run = 0; run < count; run++, i += from.step, o += to.step) {
    for (let j = 0; j < size; j++) target[o + j] = source[i + j];
  }
}

/** Sizes of a tensor as a matrix: the axes before `axis` are its rows. */
export function cut(shape: readonly number[], axis: number): { readonly rows: number; readonly columns: number } {
  return {
    rows: tf.util.sizeFromShape([...shape.slice(0, axis)]),
    columns: tf.util.sizeFromShape([...shape.slice(axis)]),
  };
}

/** A tensor's values in the heap, valid until the next allocation. */
export function numbersOf(backend: BackendWasm, tensor: tf.TensorInfo): Values {
  return backend.typedArrayFromHeap(tensor) as Values;
}
