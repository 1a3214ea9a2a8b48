/**
 * A dense convolution and its two gradients, for any stride, dilation and padding, written with the forward kernels
 * `Conv2D`, `Transpose` and `Reverse` alone: these exist on every backend, where the gradient kernels of tfjs do not,
 * or assert dilation 1. They call kernels directly because `tf.conv2d` refuses stride and dilation together.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { SidePadding } from '../spec/index.js';

/** Where the taps of a dense convolution lie. */
export interface ConvGeometry {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: SidePadding;
}

type Sides = readonly [before: number, after: number];

/** Steps, and pixels added before and after rows and columns. */
interface Window {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly rows: Sides;
  readonly columns: Sides;
}

function conv2dKernel(x: tf.Tensor4D, filter: tf.Tensor4D, { strides, dilations, rows, columns }: Window): tf.Tensor4D {
  return tf.engine().runKernel(
    tf.Conv2D,
    { x, filter },
    {
      strides: [...strides],
      dilations: [...dilations],
      pad: [[0, 0], [...rows], [...columns], [0, 0]],
      dataFormat: 'NHWC',
    },
  );
}

/** Convolution after padding; negative padding crops. */
function paddedConv(x: tf.Tensor4D, filter: tf.Tensor4D, { strides, dilations, rows, columns }: Window): tf.Tensor4D {
  const crop = ([before, after]: Sides): [number, number] => [Math.max(0, -before), Math.max(0, -after)];
  const grow = ([before, after]: Sides): [number, number] => [Math.max(0, before), Math.max(0, after)];
  const [n, h, w, c] = x.shape;
  const [top, bottom] = crop(rows);
  const [left, right] = crop(columns);
  const uncropped = top + bottom + left + right === 0;
  if (h <= top + bottom || w <= left + right) {
    // Nothing of the map is left: every tap lies in the padding. Backends do not take empty maps.
    const size = (axis: 0 | 1, padded: number) =>
      Math.floor((padded - ((filter.shape[axis] ?? 0) - 1) * dilations[axis] - 1) / strides[axis]) + 1;
    return tf.zeros([n, size(0, h + rows[0] + rows[1]), size(1, w + columns[0] + columns[1]), filter.shape[3]]);
  }
  const cropped = uncropped ? x : tf.slice(x, [0, top, left, 0], [n, h - top - bottom, w - left - right, c]);
  return conv2dKernel(cropped, filter, { strides, dilations, rows: grow(rows), columns: grow(columns) });
}

/** Puts `stride - 1` zero rows and columns between the pixels of a map (and behind the last ones). */
function spread(map: tf.Tensor4D, [rows, columns]: readonly [number, number]): tf.Tensor4D {
  if (rows === 1 && columns === 1) return map;
  const [n, h, w, c] = map.shape;
  const wide = tf.pad(tf.reshape(map, [n * h * w, 1, c]), [
    [0, 0],
    [0, columns - 1],
    [0, 0],
  ]);
  const tall = tf.pad(tf.reshape(wide, [n * h, 1, w * columns * c]), [
    [0, 0],
    [0, rows - 1],
    [0, 0],
  ]);
  return tf.reshape(tall, [n, h * rows, w * columns, c]);
}

/**
 * Dense convolution.
 *
 * @param x [N, H, W, Cin]
 * @param filter [kh, kw, Cin, Cout]
 * @returns [N, outH, outW, Cout]
 */
export function convForward(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  { strides, dilations, padding: p }: ConvGeometry,
): tf.Tensor4D {
  return conv2dKernel(x, filter, { strides, dilations, rows: [p.top, p.bottom], columns: [p.left, p.right] });
}

/**
 * Gradient of a dense convolution with respect to its input: a convolution of the spread `dy` with the filter turned by
 * 180 degrees and its channels exchanged.
 *
 * @param dy [N, outH, outW, Cout]
 * @param filter [kh, kw, Cin, Cout]
 * @param inputSize [H, W] of the input
 * @returns [N, H, W, Cin]
 */
export function convBackpropInput(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  { strides, dilations, padding: p }: ConvGeometry,
  inputSize: readonly [number, number],
): tf.Tensor4D {
  return tf.tidy(() => {
    const [kh, kw] = filter.shape;
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
    const spreadDy = spread(dy, strides);
    const sides = (axis: 0 | 1, kernelSize: number, before: number): Sides => [
      (kernelSize - 1) * dilations[axis] - before,
      inputSize[axis] - (spreadDy.shape[axis + 1] ?? 0) + before,
    ];
    return paddedConv(spreadDy, turned, {
      strides: [1, 1],
      dilations,
      rows: sides(0, kh, p.top),
      columns: sides(1, kw, p.left),
    });
  });
}

/**
 * Gradient of a dense convolution with respect to its filter, as one convolution: channels of `x` become the batch, the
 * batch becomes the depth, and `dy` is the filter; strides and dilations change places.
 *
 * @param x [N, H, W, Cin]
 * @param dy [N, outH, outW, Cout]
 * @param kernelSize [kh, kw] of the filter
 * @returns [kh, kw, Cin, Cout]
 */
export function convBackpropFilter(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  { strides, dilations, padding: p }: ConvGeometry,
  kernelSize: readonly [number, number],
): tf.Tensor4D {
  return tf.tidy(() => {
    const images = tf.transpose(x, [3, 1, 2, 0]);
    const taps = tf.transpose(dy, [1, 2, 0, 3]);
    // Rows of the input that no tap of the last output row reaches are left out, so that the result has exactly k rows.
    const sides = (axis: 0 | 1, before: number): Sides => [
      before,
      ((dy.shape[axis + 1] ?? 0) - 1) * strides[axis] +
        (kernelSize[axis] - 1) * dilations[axis] +
        1 -
        (x.shape[axis + 1] ?? 0) -
        before,
    ];
    const gradient = paddedConv(images, taps, {
      strides: dilations,
      dilations: strides,
      rows: sides(0, p.top),
      columns: sides(1, p.left),
    });
    return tf.transpose(gradient, [1, 2, 0, 3]);
  });
}
