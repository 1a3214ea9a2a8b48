/** PyConv2D and its gradients on wasm: all levels in one program of kernels of our own, in the heap of tfjs. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Convolution,
  filterGradientProgram,
  forwardProgram,
  inputGradientProgram,
} from '../../engine/convolution.js';
import {
  composedPyConv,
  composedPyConvBackpropFilter,
  composedPyConvBackpropInput,
  PY_CONV_2D,
  PY_CONV_2D_BACKPROP_FILTER,
  PY_CONV_2D_BACKPROP_INPUT,
  type PyConvAttrs,
  type PyConvFilterAttrs,
} from '../../ops/index.js';
import type { Activation, PyConvSpec } from '../../spec/index.js';
import { moveHere } from './heap.js';
import { programsOf } from './programCache.js';
import { registerWasmKernel } from './register.js';

function convolutionOf({ batch, input, output, levels, strides, dilations }: PyConvSpec): Convolution {
  return {
    batch,
    input,
    output,
    op: {
      kind: 'conv',
      levels: levels.map(({ kernelSize, groups, channels, padding }, i) => ({
        kernelSize: [kernelSize, kernelSize],
        groups,
        ...channels,
        padding,
        filter: { name: `level ${i + 1}` },
      })),
      bias: null,
      strides,
      dilations,
    },
  };
}

/** Everything but the activation. */
const keyOf = ({ batch, input, output, levels, strides, dilations }: PyConvSpec): string =>
  JSON.stringify([batch, input, output, levels, strides, dilations]);

const imageShape = (batch: number, { height, width, channels }: PyConvSpec['input']): number[] => [
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

function pyConv({ tensors, attrs, backend }: ListArguments<PyConvAttrs>): tf.TensorInfo | null {
  const { spec } = attrs;
  const relu = spec.activation === 'relu';
  const bias = tensors.length > spec.levels.length + 1;
  const y = programsOf(backend).run(
    `forward ${relu} ${bias} ${keyOf(spec)}`,
    (machine) => forwardProgram(convolutionOf(spec), machine, { bias, relu }),
    tensors,
    { shape: imageShape(spec.batch, spec.output), isSum: false },
  );
  const behind = BEHIND[spec.activation];
  if (y === null || behind === undefined) return y;
  try {
    return tf.getKernel(behind, 'wasm').kernelFunc({ inputs: { x: y }, attrs: {}, backend }) as tf.TensorInfo;
  } finally {
    backend.disposeData(y.dataId);
  }
}

function pyConvBackpropInput({ tensors, attrs: { spec }, backend }: ListArguments<PyConvAttrs>): tf.TensorInfo | null {
  return programsOf(backend).run(
    `input ${keyOf(spec)}`,
    (machine) => inputGradientProgram(convolutionOf(spec), machine),
    tensors,
    { shape: imageShape(spec.batch, spec.input), isSum: false },
  );
}

function pyConvBackpropFilter({
  tensors,
  attrs: { spec, level: index },
  backend,
}: ListArguments<PyConvFilterAttrs>): tf.TensorInfo | null {
  const { kernelSize, groups, channels } = spec.levels[index];
  return programsOf(backend).run(
    `filter ${index} ${keyOf(spec)}`,
    (machine) => {
      const convolution = convolutionOf(spec);
      return filterGradientProgram(convolution, machine, convolution.op.levels[index]);
    },
    tensors,
    {
      shape: [kernelSize, kernelSize, spec.input.channels / groups, channels.end - channels.start],
      isSum: true,
    },
  );
}

/** A kernel's arguments with its tensors in order, in this backend's heap. */
interface ListArguments<Attrs> {
  readonly tensors: readonly tf.TensorInfo[];
  readonly attrs: Attrs;
  readonly backend: BackendWasm;
}

/**
 * Registers a kernel. Where it gives null (its tables would be too large), and for tensors without values, the composed one
 * stands in.
 */
function registerOver<Attrs>(
  name: string,
  kernel: (args: ListArguments<Attrs>) => tf.TensorInfo | null,
  composed: (inputs: readonly tf.Tensor[], attrs: Attrs) => tf.Tensor4D,
): void {
  // The ops hand their tensors over as an array, which the engine passes on as a map by index.
  registerWasmKernel<Readonly<Record<string, tf.Tensor | undefined>>, Attrs>(name, ({ inputs, attrs, backend }) => {
    const tensors = Object.values(inputs).filter((tensor) => tensor !== undefined);
    moveHere(backend, tensors);
    const isEmpty = tensors.some(({ size }) => size === 0);
    return (isEmpty ? null : kernel({ tensors, attrs, backend })) ?? tf.tidy(() => composed(tensors, attrs));
  });
}

/** Registers PyConv2D and its gradients in place of the composed ones. */
export function registerPyConv(): void {
  registerOver(PY_CONV_2D, pyConv, composedPyConv);
  registerOver(PY_CONV_2D_BACKPROP_INPUT, pyConvBackpropInput, composedPyConvBackpropInput);
  registerOver(PY_CONV_2D_BACKPROP_FILTER, pyConvBackpropFilter, composedPyConvBackpropFilter);
}
