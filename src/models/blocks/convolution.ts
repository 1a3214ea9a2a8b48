/** Dense and transposed convolutions with PyTorch's geometry and initial weights. */
import * as tfl from '@tensorflow/tfjs-layers';
import { crop } from '../../layers/crop.js';
import { apply, type FeatureMap } from './apply.js';
import { kernelInitializer } from './initializer.js';

/** One convolution of a network. */
export interface ConvolutionOptions {
  readonly name: string;
  readonly filters: number;
  /** Odd. */
  readonly kernelSize: number;
  /** Default 1. */
  readonly strides?: 1 | 2;
  /** Default true. */
  readonly useBias?: boolean;
}

/** A convolution that keeps the size at stride 1, padded by half its kernel on every side as PyTorch pads. */
export function convolution(seed: number, x: FeatureMap, options: ConvolutionOptions): FeatureMap {
  const { name, filters, kernelSize, strides = 1, useBias = true } = options;
  const half = (kernelSize - 1) / 2;
  // At stride 2 TensorFlow's 'same' pads the end alone and samples one pixel away from PyTorch.
  const explicit = strides !== 1 && half > 0;
  const padded = explicit ? zeroPad(x, half, `${name}Pad`) : x;
  const layer = tfl.layers.conv2d({
    name,
    filters,
    kernelSize,
    strides,
    padding: strides === 1 ? 'same' : 'valid',
    useBias,
    kernelInitializer: kernelInitializer(seed, name),
    biasInitializer: 'zeros',
  });
  return apply(layer, padded);
}

/** Zeros on every side. */
export function zeroPad(x: FeatureMap, pixels: number, name: string): FeatureMap {
  const side: [number, number] = [pixels, pixels];
  return apply(tfl.layers.zeroPadding2d({ padding: [side, side], name }), x);
}

/** One transposed convolution of stride 2. */
export interface TransposedConvolutionOptions {
  readonly name: string;
  readonly filters: number;
  readonly kernelSize: 2 | 3 | 4;
}

/**
 * A transposed convolution that doubles height and width, with bias. In PyTorch's terms: kernel 2 without padding,
 * kernel 3 with padding 1 and output padding 1, kernel 4 with padding 1.
 */
export function transposedConvolution(
  seed: number,
  x: FeatureMap,
  { name, filters, kernelSize }: TransposedConvolutionOptions,
): FeatureMap {
  const layer = tfl.layers.conv2dTranspose({
    name,
    filters,
    kernelSize,
    strides: 2,
    // Of kernel 3 TensorFlow's 'same' keeps the first 2 H of the 2 H + 1 rows, PyTorch the last.
    padding: kernelSize === 3 ? 'valid' : 'same',
    kernelInitializer: kernelInitializer(seed, name),
    biasInitializer: 'zeros',
  });
  const y = apply(layer, x);
  if (kernelSize !== 3) return y;
  const cropping: [[number, number], [number, number]] = [
    [1, 0],
    [1, 0],
  ];
  return apply(crop({ cropping, name: `${name}Crop` }), y);
}
