/** Slice and SplitV on wasm. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { copyRuns, numbersOf } from './copyRuns.js';
import { moveHere } from './heap.js';
import { registerWasmKernel, runOriginal } from './register.js';

function slice(
  backend: BackendWasm,
  x: tf.TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): tf.TensorInfo {
  moveHere(backend, [x]);
  const output = backend.makeOutput([...size], x.dtype);
  const [source, target] = [x, output].map((tensor) => numbersOf(backend, tensor));
  // An axis that is taken whole belongs to the axis before it.
  const axes: { length: number; begin: number; size: number }[] = [];
  x.shape.forEach((length, axis) => {
    const last = axes.at(-1);
    if (last === undefined || size[axis] !== length) axes.push({ length, begin: begin[axis], size: size[axis] });
    else for (const key of ['length', 'begin', 'size'] as const) last[key] *= length;
  });
  while (axes.length < 2) axes.unshift({ length: 1, begin: 0, size: 1 });
  const outer = axes.slice(0, -2);
  const [rows, columns] = axes.slice(-2);
  const blocks = outer.reduce((product, axis) => product * axis.size, 1);
  for (let block = 0; block < blocks; block++) {
    let rest = block;
    let position = 0;
    let step = 1;
    for (const axis of [...outer].reverse()) {
      position += (axis.begin + (rest % axis.size)) * step;
      step *= axis.length;
      rest = Math.floor(rest / axis.size);
    }
    const offset = (position * rows.length + rows.begin) * columns.length + columns.begin;
    const to = { offset: block * rows.size * columns.size, step: columns.size };
    copyRuns(source, { offset, step: columns.length }, target, to, rows.size, columns.size);
  }
  return output;
}

function registerSliceKernel(): void {
  const original = tf.getKernel(tf.Slice, 'wasm');
  registerWasmKernel<{ readonly x: tf.TensorInfo }, tf.SliceAttrs>(tf.Slice, (args) => {
    const { inputs, attrs, backend } = args;
    if (inputs.x.dtype === 'string') return runOriginal(original, args);
    const [begin, size] = tf.slice_util.parseSliceParams(inputs.x, attrs.begin, attrs.size);
    tf.slice_util.assertParamsValid(inputs.x, begin, size);
    return slice(backend, inputs.x, begin, size);
  });
}

function registerSplitKernel(): void {
  const original = tf.getKernel(tf.SplitV, 'wasm');
  registerWasmKernel<{ readonly x: tf.Tensor }, tf.SplitVAttrs>(tf.SplitV, (args) => {
    const { inputs, attrs, backend } = args;
    const { x } = inputs;
    if (x.dtype === 'string') return runOriginal(original, args);
    const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape);
    const begin = x.shape.map(() => 0);
    return tf.backend_util.prepareSplitSize(x, attrs.numOrSizeSplits, axis).map((part) => {
      const piece = slice(
        backend,
        x,
        begin,
        x.shape.map((length, i) => (i === axis ? part : length)),
      );
      begin[axis] += part;
      return piece;
    });
  });
}

/** Registers Slice and SplitV in place of tfjs's. */
export function registerSlice(): void {
  registerSliceKernel();
  registerSplitKernel();
}
