/** Reverse on wasm: turns the filters of a convolution for its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { copyRuns, cut, numbersOf } from './copyRuns.js';
import { moveHere } from './heap.js';
import { registerWasmKernel, runOriginal } from './register.js';

/** Registers Reverse in place of tfjs's. */
export function registerReverse(): void {
  const original = tf.getKernel(tf.Reverse, 'wasm');
  registerWasmKernel<{ readonly x: tf.TensorInfo }, tf.ReverseAttrs>(
    tf.Reverse,
    (args) => {
      const { inputs, attrs, backend } = args;
      const { x } = inputs;
      if (x.dtype === 'string') return runOriginal(original, args);
      const axes = tf.util.parseAxisParam(attrs.dims, x.shape);
      const last = Math.max(-1, ...axes);
      moveHere(backend, [x]);
      const output = backend.makeOutput(x.shape, x.dtype);
      const [source, target] = [x, output].map((tensor) => numbersOf(backend, tensor));
      const { rows, columns } = cut(x.shape, last + 1);
      for (let row = 0; row < rows; row++) {
        let rest = row;
        let mirrored = 0;
        let step = 1;
        for (let axis = last; axis >= 0; axis--) {
          const length = x.shape[axis];
          const index = rest % length;
          mirrored += (axes.includes(axis) ? length - 1 - index : index) * step;
          step *= length;
          rest = Math.floor(rest / length);
        }
        const from = { offset: mirrored * columns, step: columns };
        copyRuns(source, from, target, { offset: row * columns, step: columns }, 1, columns);
      }
      return output;
    },
    original.setupFunc,
  );
}
