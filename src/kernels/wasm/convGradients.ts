/** Gradients of tfjs's dense convolution on wasm, each as one forward convolution (XNNPACK), where the kernels of this package do not compute them. */
import * as tf from '@tensorflow/tfjs-core';
import { type ConvGeometry, convBackpropFilter, convBackpropInput } from '../../ops/index.js';

function geometryOf(info: tf.backend_util.Conv2DInfo): ConvGeometry {
  const { top, bottom, left, right } = info.padInfo;
  return {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    padding: { top, bottom, left, right },
  };
}

/** The gradient of the filter. */
export function composedFilterGradient(
  info: tf.backend_util.Conv2DInfo,
  { x, dy }: { readonly x: tf.Tensor4D; readonly dy: tf.Tensor4D },
): tf.Tensor4D {
  return convBackpropFilter(x, dy, geometryOf(info), [info.filterHeight, info.filterWidth]);
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

/** The gradient of the input. */
export function composedInputGradient(
  info: tf.backend_util.Conv2DInfo,
  { dy, filter }: { readonly dy: tf.Tensor4D; readonly filter: tf.Tensor4D },
): tf.Tensor4D {
  if (isTiled(info)) return tiledBackpropInput(dy, filter);
  return convBackpropInput(dy, filter, geometryOf(info), [info.inHeight, info.inWidth]);
}
