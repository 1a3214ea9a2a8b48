/** PyConv2D and its gradients on wasm: all levels in one program of kernels of our own, in the heap of tfjs. */
import * as tf from '@tensorflow/tfjs-core';
import type { Convolution } from '../../engine/convolution.js';
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
import type { PyConvSpec } from '../../spec/index.js';
import { convolve, filterGradient, inputGradient, type Work } from './convolve.js';
import { moveHere } from './heap.js';
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

function gradientOfFilter(work: Work, inputs: readonly tf.TensorInfo[], { spec, level: index }: PyConvFilterAttrs) {
  const { kernelSize, groups, channels } = spec.levels[index];
  const shape = [kernelSize, kernelSize, spec.input.channels / groups, channels.end - channels.start];
  return filterGradient(work, inputs, { level: index, shape });
}

/**
 * Registers a kernel. Where it gives null (its tables would be too large), and for tensors without values, the composed one
 * stands in.
 */
function registerOver<Attrs extends PyConvAttrs>(
  name: string,
  kernel: (work: Work, inputs: readonly tf.TensorInfo[], attrs: Attrs) => tf.TensorInfo | null,
  composed: (inputs: readonly tf.Tensor[], attrs: Attrs) => tf.Tensor4D,
): void {
  // The ops hand their tensors over as an array, which the engine passes on as a map by index.
  registerWasmKernel<Readonly<Record<string, tf.Tensor | undefined>>, Attrs>(name, ({ inputs, attrs, backend }) => {
    const tensors = Object.values(inputs).filter((tensor) => tensor !== undefined);
    moveHere(backend, tensors);
    const isEmpty = tensors.some(({ size }) => size === 0);
    const result = isEmpty ? null : kernel({ backend, convolution: convolutionOf(attrs.spec) }, tensors, attrs);
    return result ?? tf.tidy(() => composed(tensors, attrs));
  });
}

/** Registers PyConv2D and its gradients in place of the composed ones. */
export function registerPyConv(): void {
  registerOver<PyConvAttrs>(
    PY_CONV_2D,
    (work, inputs, { spec }) => convolve(work, inputs, spec.activation),
    composedPyConv,
  );
  registerOver<PyConvAttrs>(PY_CONV_2D_BACKPROP_INPUT, inputGradient, composedPyConvBackpropInput);
  registerOver(PY_CONV_2D_BACKPROP_FILTER, gradientOfFilter, composedPyConvBackpropFilter);
}
