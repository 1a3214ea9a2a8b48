/** Convolutions of tensors and their gradients by the kernels of this package; null where the tables of a program would be too large. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Convolution,
  filterGradientProgram,
  forwardProgram,
  inputGradientProgram,
} from '../../engine/convolution.js';
import type { Activation } from '../../spec/index.js';
import { programsOf } from './programCache.js';

const imageShape = (batch: number, { height, width, channels }: Convolution['input']): number[] => [
  batch,
  height,
  width,
  channels,
];

/** tfjs's kernels of the activations that an epilogue does not have. */
const BEHIND: Readonly<Partial<Record<Activation, string>>> = {
  relu6: tf.Relu6,
  elu: tf.Elu,
  sigmoid: tf.Sigmoid,
  tanh: tf.Tanh,
};

/** A convolution on a backend; tensors must be in its heap. */
export interface Work {
  readonly backend: BackendWasm;
  readonly convolution: Convolution;
}

/**
 * The convolution.
 *
 * @param inputs x, the filter of each level, and the bias where there is one.
 */
export function convolve(
  { backend, convolution }: Work,
  inputs: readonly tf.TensorInfo[],
  activation: Activation,
): tf.TensorInfo | null {
  const relu = activation === 'relu';
  const bias = inputs.length > convolution.op.levels.length + 1;
  const y = programsOf(backend).run(
    `forward ${relu} ${bias} ${JSON.stringify(convolution)}`,
    (machine) => forwardProgram(convolution, machine, { bias, relu }),
    inputs,
    { shape: imageShape(convolution.batch, convolution.output), isSum: false },
  );
  const behind = BEHIND[activation];
  if (y === null || behind === undefined) return y;
  try {
    return tf.getKernel(behind, 'wasm').kernelFunc({ inputs: { x: y }, attrs: {}, backend }) as tf.TensorInfo;
  } finally {
    backend.disposeData(y.dataId);
  }
}

/**
 * The gradient of the input.
 *
 * @param inputs dy and the filter of each level.
 */
export function inputGradient({ backend, convolution }: Work, inputs: readonly tf.TensorInfo[]): tf.TensorInfo | null {
  return programsOf(backend).run(
    `input ${JSON.stringify(convolution)}`,
    (machine) => inputGradientProgram(convolution, machine),
    inputs,
    { shape: imageShape(convolution.batch, convolution.input), isSum: false },
  );
}

/**
 * The gradient of one level's filter.
 *
 * @param inputs x and dy.
 * @param shape Of the filter, which may divide the channels in another way than the level does.
 */
export function filterGradient(
  { backend, convolution }: Work,
  inputs: readonly tf.TensorInfo[],
  { level, shape }: { readonly level: number; readonly shape: readonly number[] },
): tf.TensorInfo | null {
  return programsOf(backend).run(
    `filter ${level} ${JSON.stringify(convolution)}`,
    (machine) => filterGradientProgram(convolution, machine, convolution.op.levels[level]),
    inputs,
    { shape, isSum: true },
  );
}
