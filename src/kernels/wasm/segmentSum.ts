/** tfjs's UnsortedSegmentSum on wasm, which lacks it: the gradient of gather. */
import * as tf from '@tensorflow/tfjs-core';
import { moveHere } from './heap.js';
import { registerWasmKernel } from './register.js';

interface Inputs {
  readonly x: tf.Tensor;
  readonly segmentIds: tf.Tensor;
}

/** Registers UnsortedSegmentSum: rows of x are added up by their segment; a row whose id is no segment is left out. */
export function registerSegmentSum(): void {
  registerWasmKernel<Inputs, tf.UnsortedSegmentSumAttrs>(tf.UnsortedSegmentSum, ({ inputs, attrs, backend }) => {
    const { x, segmentIds } = inputs;
    const { numSegments } = attrs;
    const rowShape = x.shape.slice(segmentIds.shape.length);
    moveHere(backend, [x, segmentIds]);
    const output = backend.makeOutput([numSegments, ...rowShape], x.dtype);
    const ids = backend.typedArrayFromHeap(segmentIds);
    const sums = backend.typedArrayFromHeap(output);
    const values = backend.typedArrayFromHeap(x);
    const rowSize = tf.util.sizeFromShape(rowShape);
    sums.fill(0);
    for (let row = 0; row < ids.length; row++) {
      const segment = ids[row];
      if (segment < 0 || segment >= numSegments) continue;
      for (let i = 0; i < rowSize; i++) sums[segment * rowSize + i] += values[row * rowSize + i];
    }
    return output;
  });
}
