/** Gradients of tfjs's dense convolution on wasm, each as one forward convolution (XNNPACK), where tfjs has none or a slow one. */
import * as tf from '@tensorflow/tfjs-core';
import { type ConvGeometry, convBackpropFilter, convBackpropInput } from '../../ops/index.js';
import { registerWasmKernel, runOriginal } from './register.js';

function geometryOf(info: tf.backend_util.Conv2DInfo): ConvGeometry {
  const { top, bottom, left, right } = info.padInfo;
  return {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    padding: { top, bottom, left, right },
  };
}

interface FilterInputs {
  readonly x: tf.Tensor4D;
  readonly dy: tf.Tensor4D;
}

function registerBackpropFilter(): void {
  registerWasmKernel<FilterInputs, tf.Conv2DBackpropFilterAttrs>(tf.Conv2DBackpropFilter, ({ inputs, attrs }) => {
    const { x, dy } = inputs;
    const { strides, pad, dimRoundingMode, filterShape } = attrs;
    const format = tf.backend_util.convertConv2DDataFormat(attrs.dataFormat);
    if (format !== 'channelsLast') {
      throw new Error('Conv2DBackpropFilter on wasm takes NHWC. Received: NCHW. Transpose the tensors.');
    }
    const info = tf.backend_util.computeConv2DInfo(
      x.shape,
      filterShape,
      strides,
      1,
      pad,
      dimRoundingMode,
      false,
      format,
    );
    return convBackpropFilter(x, dy, geometryOf(info), [info.filterHeight, info.filterWidth]);
  });
}

/**
 * Gradient of the input where the windows do not overlap (kernel = stride, the 2x2 transposed convolution of U-Net): one 1x1
 * convolution to all pixels of a window and one transposition, without the zeros between the pixels of dy.
 */
function tiledBackpropInput(dy: tf.Tensor4D, filter: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, outChannels] = dy.shape;
  const [kh, kw, inChannels] = filter.shape;
  return tf.tidy(() => {
    const toWindow = tf.reshape(tf.transpose(filter, [3, 0, 1, 2]), [1, 1, outChannels, kh * kw * inChannels]);
    const windows = tf.conv2d(dy, toWindow as tf.Tensor4D, 1, 'valid');
    const rows = tf.transpose(tf.reshape(windows, [n * h, w, kh, kw * inChannels]), [0, 2, 1, 3]);
    return tf.reshape(rows, [n, h * kh, w * kw, inChannels]);
  });
}

function isTiled(info: tf.backend_util.Conv2DInfo): boolean {
  return (
    info.filterHeight === info.strideHeight &&
    info.filterWidth === info.strideWidth &&
    info.padInfo.top === 0 &&
    info.padInfo.left === 0 &&
    info.inHeight === info.outHeight * info.strideHeight &&
    info.inWidth === info.outWidth * info.strideWidth
  );
}

interface InputInputs {
  readonly dy: tf.Tensor4D;
  readonly filter: tf.Tensor4D;
}

function registerBackpropInput(): void {
  const original = tf.getKernel(tf.Conv2DBackpropInput, 'wasm');
  registerWasmKernel<InputInputs, tf.Conv2DBackpropInputAttrs>(
    tf.Conv2DBackpropInput,
    (args) => {
      const { dy, filter } = args.inputs;
      const { strides, pad, dimRoundingMode, inputShape } = args.attrs;
      const format = tf.backend_util.convertConv2DDataFormat(args.attrs.dataFormat);
      const info = tf.backend_util.computeConv2DInfo(
        inputShape,
        filter.shape,
        strides,
        1,
        pad,
        dimRoundingMode,
        false,
        format,
      );
      // conv2dTranspose lets dy be larger than the convolution's output: tfjs reads its first rows and columns.
      const isPlain = format === 'channelsLast' && tf.util.arraysEqual(dy.shape, info.outShape);
      if (!isPlain) return runOriginal(original, args);
      if (isTiled(info)) return tiledBackpropInput(dy, filter);
      return convBackpropInput(dy, filter, geometryOf(info), [info.inHeight, info.inWidth]);
    },
    original.setupFunc,
  );
}

/** Registers Conv2DBackpropFilter, and a faster Conv2DBackpropInput (which is also tfjs's transposed convolution). */
export function registerConvGradients(): void {
  registerBackpropFilter();
  registerBackpropInput();
}
