/** Concat on wasm. */
import * as tf from '@tensorflow/tfjs-core';
import { copyRuns, cut, numbersOf } from './copyRuns.js';
import { moveHere } from './heap.js';
import { registerWasmKernel, runOriginal } from './register.js';

/** Registers Concat in place of tfjs's. */
export function registerConcat(): void {
  const original = tf.getKernel(tf.Concat, 'wasm');
  registerWasmKernel<readonly tf.TensorInfo[], tf.ConcatAttrs>(tf.Concat, (args) => {
    const { inputs, attrs, backend } = args;
    const parts = Object.values(inputs);
    const [first] = parts;
    if (parts.some(({ dtype }) => dtype !== first.dtype) || first.dtype === 'string' || first.dtype === 'complex64') {
      return runOriginal(original, args);
    }
    const [axis] = tf.util.parseAxisParam(attrs.axis, first.shape);
    const shapes = parts.map(({ shape }) => shape);
    tf.backend_util.assertParamsConsistent(shapes, axis);
    moveHere(backend, parts);
    const output = backend.makeOutput(tf.backend_util.computeOutShape(shapes, axis), first.dtype);
    const target = numbersOf(backend, output);
    const step = cut(output.shape, axis).columns;
    let offset = 0;
    for (const part of parts) {
      const { rows, columns } = cut(part.shape, axis);
      const source = numbersOf(backend, part);
      copyRuns(source, { offset: 0, step: columns }, target, { offset, step }, rows, columns);
      offset += columns;
    }
    return output;
  });
}
