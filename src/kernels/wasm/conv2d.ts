/** tfjs's dense and depthwise convolutions and their gradients on wasm, by the kernels of this package where these are faster. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { Convolution } from '../../engine/convolution.js';
import { ACTIVATIONS, type Activation } from '../../spec/index.js';
import { composedFilterGradient, composedInputGradient } from './convGradients.js';
import { convolve, filterGradient, inputGradient } from './convolve.js';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwiseGradients.js';
import { isFasterFilterGradient, isFasterForward, isFasterInputGradient } from './faster.js';
import { moveHere } from './heap.js';
import { registerWasmKernel, runOriginal, type WasmKernelArguments } from './register.js';

type Info = tf.backend_util.Conv2DInfo;

/** What all convolutions of tfjs have in common. */
interface Attrs {
  readonly strides: [number, number] | number;
  readonly pad: tf.Conv2DAttrs['pad'];
  readonly dataFormat?: tf.Conv2DAttrs['dataFormat'];
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: tf.Conv2DAttrs['dimRoundingMode'];
}

type Shape4D = [number, number, number, number];

function infoOf(x: readonly number[], filter: readonly number[], attrs: Attrs, depthwise: boolean): Info {
  const { strides, dilations = 1, pad, dimRoundingMode, dataFormat = 'NHWC' } = attrs;
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
  return tf.backend_util.computeConv2DInfo(
    [...x] as Shape4D,
    [...filter] as Shape4D,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
    format,
  );
}

function convolutionOf(info: Info, depthwise: boolean): Convolution {
  const { top, bottom, left, right } = info.padInfo;
  return {
    batch: info.batchSize,
    input: { height: info.inHeight, width: info.inWidth, channels: info.inChannels },
    output: { height: info.outHeight, width: info.outWidth, channels: info.outChannels },
    op: {
      kind: 'conv',
      levels: [
        {
          kernelSize: [info.filterHeight, info.filterWidth],
          groups: depthwise ? info.inChannels : 1,
          start: 0,
          end: info.outChannels,
          padding: { top, bottom, left, right },
          filter: { name: 'filter' },
        },
      ],
      bias: null,
      strides: [info.strideHeight, info.strideWidth],
      dilations: [info.dilationHeight, info.dilationWidth],
    },
  };
}

/** The convolution as this package computes it, or null where it does not: channels first, no values. */
function ours(info: Info, depthwise: boolean, tensors: readonly tf.TensorInfo[]): Convolution | null {
  const isEmpty = tensors.some(({ shape }) => shape.includes(0));
  return isEmpty || info.dataFormat !== 'channelsLast' ? null : convolutionOf(info, depthwise);
}

/**
 * Whether tfjs's kernel returns zeros alone: XNNPACK refuses padding 'same' where windows are narrower than their distance and leave rows
 * or columns behind the last one, and tfjs does not look at what it says.
 */
function isLeftZero({ padInfo, ...info }: Info): boolean {
  const leavesRest = (size: number, windows: number, stride: number, window: number) =>
    (windows - 1) * stride + window < size;
  return (
    padInfo.type === 'SAME' &&
    info.filterHeight * info.filterWidth > 1 &&
    (leavesRest(info.inHeight, info.outHeight, info.strideHeight, info.effectiveFilterHeight) ||
      leavesRest(info.inWidth, info.outWidth, info.strideWidth, info.effectiveFilterWidth))
  );
}

interface ForwardInputs {
  readonly x: tf.TensorInfo;
  readonly filter: tf.TensorInfo;
  readonly bias?: tf.TensorInfo | null;
}

interface ForwardAttrs extends Attrs {
  readonly activation?: string;
}

const isActivation = (name: string): name is Activation => (ACTIVATIONS as readonly string[]).includes(name);

function forward(
  { inputs, attrs, backend }: WasmKernelArguments<ForwardInputs, ForwardAttrs>,
  depthwise: boolean,
): tf.TensorInfo | null {
  const { x, filter, bias } = inputs;
  const { activation = 'linear' } = attrs;
  const info = infoOf(x.shape, filter.shape, attrs, depthwise);
  const tensors = [x, filter, ...(bias == null ? [] : [bias])];
  const convolution = ours(info, depthwise, tensors);
  const isKnown = isActivation(activation) && (bias == null || tf.util.arraysEqual(bias.shape, [info.outChannels]));
  if (convolution === null || !isKnown) return null;
  if (!isFasterForward(convolution) && !isLeftZero(info)) return null;
  moveHere(backend, tensors);
  return convolve({ backend, convolution }, tensors, activation);
}

function registerForward(kernelName: string, depthwise: boolean): void {
  const original = tf.getKernel(kernelName, 'wasm');
  registerWasmKernel<ForwardInputs, ForwardAttrs>(
    kernelName,
    (args) => forward(args, depthwise) ?? runOriginal(original, args),
    original.setupFunc,
  );
}

interface InputInputs {
  readonly dy: tf.Tensor4D;
  readonly filter: tf.Tensor4D;
}

type InputAttrs = Attrs & { readonly inputShape: Shape4D };

function gradientOfInput(
  backend: BackendWasm,
  info: Info,
  { dy, filter }: InputInputs,
  depthwise: boolean,
): tf.TensorInfo | null {
  const convolution = ours(info, depthwise, [dy, filter]);
  if (convolution === null || !isFasterInputGradient(convolution)) return null;
  moveHere(backend, [dy, filter]);
  return inputGradient({ backend, convolution }, [dy, filter]);
}

interface FilterInputs {
  readonly x: tf.Tensor4D;
  readonly dy: tf.Tensor4D;
}

type FilterAttrs = Attrs & { readonly filterShape: Shape4D };

function gradientOfFilter(
  backend: BackendWasm,
  info: Info,
  { x, dy }: FilterInputs,
  shape: Shape4D,
  depthwise: boolean,
): tf.TensorInfo | null {
  const convolution = ours(info, depthwise, [x, dy]);
  if (convolution === null || !isFasterFilterGradient(convolution)) return null;
  moveHere(backend, [x, dy]);
  return filterGradient({ backend, convolution }, [x, dy], { level: 0, shape });
}

function registerInputGradient(): void {
  const original = tf.getKernel(tf.Conv2DBackpropInput, 'wasm');
  registerWasmKernel<InputInputs, InputAttrs>(
    tf.Conv2DBackpropInput,
    (args) => {
      const { inputs, attrs, backend } = args;
      const info = infoOf(attrs.inputShape, inputs.filter.shape, attrs, false);
      // conv2dTranspose lets dy be larger than the convolution's output: tfjs reads its first rows and columns.
      const isPlain = info.dataFormat === 'channelsLast' && tf.util.arraysEqual(inputs.dy.shape, info.outShape);
      if (!isPlain) return runOriginal(original, args);
      return gradientOfInput(backend, info, inputs, false) ?? composedInputGradient(info, inputs);
    },
    original.setupFunc,
  );
}

function registerFilterGradient(): void {
  registerWasmKernel<FilterInputs, FilterAttrs>(tf.Conv2DBackpropFilter, ({ inputs, attrs, backend }) => {
    const info = infoOf(inputs.x.shape, attrs.filterShape, attrs, false);
    if (info.dataFormat !== 'channelsLast') {
      throw new Error('Conv2DBackpropFilter on wasm takes NHWC. Received: NCHW. Transpose the tensors.');
    }
    return gradientOfFilter(backend, info, inputs, attrs.filterShape, false) ?? composedFilterGradient(info, inputs);
  });
}

function registerDepthwiseGradients(): void {
  registerWasmKernel<InputInputs, InputAttrs>(tf.DepthwiseConv2dNativeBackpropInput, ({ inputs, attrs, backend }) => {
    const info = infoOf(attrs.inputShape, inputs.filter.shape, attrs, true);
    return gradientOfInput(backend, info, inputs, true) ?? depthwiseInputGradient(backend, info, inputs);
  });
  registerWasmKernel<FilterInputs, FilterAttrs>(
    tf.DepthwiseConv2dNativeBackpropFilter,
    ({ inputs, attrs, backend }) => {
      const info = infoOf(inputs.x.shape, attrs.filterShape, attrs, true);
      return (
        gradientOfFilter(backend, info, inputs, attrs.filterShape, true) ??
        depthwiseFilterGradient(backend, info, inputs)
      );
    },
  );
}

/** tfjs's kernels that faster ones stand in for. */
const REPLACED = [
  tf.Conv2D,
  tf.FusedConv2D,
  tf.DepthwiseConv2dNative,
  tf.FusedDepthwiseConv2D,
  tf.Conv2DBackpropInput,
] as const;

/** tfjs's own, kept in the order of REPLACED. */
let originals: readonly tf.KernelConfig[] = [];

/** Puts faster kernels in the place of tfjs's own, or these back. */
export function chooseConvolutions(whose: 'fastest' | 'tfjs'): void {
  for (const original of originals) {
    tf.unregisterKernel(original.kernelName, 'wasm');
    tf.registerKernel(original);
  }
  if (whose === 'tfjs') return;
  for (const name of [tf.Conv2D, tf.FusedConv2D]) registerForward(name, false);
  for (const name of [tf.DepthwiseConv2dNative, tf.FusedDepthwiseConv2D]) registerForward(name, true);
  registerInputGradient();
}

/** Registers the gradients that tfjs lacks, and faster convolutions in place of its own. */
export function registerConvolutions(): void {
  originals = REPLACED.map((name) => tf.getKernel(name, 'wasm'));
  registerFilterGradient();
  registerDepthwiseGradients();
  chooseConvolutions('fastest');
}
