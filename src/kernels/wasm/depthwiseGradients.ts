/** The two gradients of tfjs's depthwise convolution on wasm, which has neither: direct loops over the heap, any stride and dilation. */
import * as tf from '@tensorflow/tfjs-core';
import { makeOutputs, moveHere, valuesOf } from './heap.js';
import { registerWasmKernel } from './register.js';

/** Calls `visit` with the offsets of each pair of an input pixel and an output pixel that one tap connects. */
function forEachTap(
  info: tf.backend_util.Conv2DInfo,
  visit: (inputOffset: number, outputOffset: number, filterOffset: number) => void,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  for (let n = 0; n < batchSize; n++) {
    for (let oh = 0; oh < outHeight; oh++) {
      for (let kh = 0; kh < info.filterHeight; kh++) {
        const ih = oh * info.strideHeight + kh * info.dilationHeight - info.padInfo.top;
        if (ih < 0 || ih >= inHeight) continue;
        for (let ow = 0; ow < outWidth; ow++) {
          for (let kw = 0; kw < info.filterWidth; kw++) {
            const iw = ow * info.strideWidth + kw * info.dilationWidth - info.padInfo.left;
            if (iw < 0 || iw >= inWidth) continue;
            visit(
              ((n * inHeight + ih) * inWidth + iw) * inChannels,
              ((n * outHeight + oh) * outWidth + ow) * outChannels,
              (kh * info.filterWidth + kw) * outChannels,
            );
          }
        }
      }
    }
  }
}

type DepthwiseAttrs = Pick<
  tf.DepthwiseConv2dNativeBackpropInputAttrs,
  'strides' | 'dilations' | 'pad' | 'dimRoundingMode'
>;

function depthwiseInfo(
  x: tf.Tensor4D['shape'],
  filter: tf.Tensor4D['shape'],
  attrs: DepthwiseAttrs,
): tf.backend_util.Conv2DInfo {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  return tf.backend_util.computeConv2DInfo(x, filter, strides, dilations, pad, dimRoundingMode, true);
}

interface InputInputs {
  readonly dy: tf.Tensor4D;
  readonly filter: tf.Tensor4D;
}

interface FilterInputs {
  readonly x: tf.Tensor4D;
  readonly dy: tf.Tensor4D;
}

/** Registers DepthwiseConv2dNativeBackpropInput and DepthwiseConv2dNativeBackpropFilter. */
export function registerDepthwiseGradients(): void {
  registerWasmKernel<InputInputs, tf.DepthwiseConv2dNativeBackpropInputAttrs>(
    tf.DepthwiseConv2dNativeBackpropInput,
    ({ inputs, attrs, backend }) => {
      const info = depthwiseInfo(attrs.inputShape, inputs.filter.shape, attrs);
      moveHere(backend, [inputs.dy, inputs.filter]);
      const [output] = makeOutputs(backend, [attrs.inputShape]);
      const [dx, dy, filter] = valuesOf(backend, [output, inputs.dy, inputs.filter]);
      const { inChannels, outChannels } = info;
      const multiplier = outChannels / inChannels;
      dx.fill(0);
      forEachTap(info, (inputOffset, outputOffset, filterOffset) => {
        for (let c = 0, o = 0; c < inChannels; c++) {
          let sum = 0;
          for (let m = 0; m < multiplier; m++, o++) sum += dy[outputOffset + o] * filter[filterOffset + o];
          dx[inputOffset + c] = dx[inputOffset + c] + sum;
        }
      });
      return output;
    },
  );
  registerWasmKernel<FilterInputs, tf.DepthwiseConv2dNativeBackpropFilterAttrs>(
    tf.DepthwiseConv2dNativeBackpropFilter,
    ({ inputs, attrs, backend }) => {
      const info = depthwiseInfo(inputs.x.shape, attrs.filterShape, attrs);
      moveHere(backend, [inputs.x, inputs.dy]);
      const [output] = makeOutputs(backend, [attrs.filterShape]);
      const [df, x, dy] = valuesOf(backend, [output, inputs.x, inputs.dy]);
      const { inChannels, outChannels } = info;
      const multiplier = outChannels / inChannels;
      // Every tap sums over all pixels: in double, then rounded once.
      const sums = new Float64Array(df.length);
      forEachTap(info, (inputOffset, outputOffset, filterOffset) => {
        for (let c = 0, o = 0; c < inChannels; c++) {
          const value = x[inputOffset + c];
          for (let m = 0; m < multiplier; m++, o++) {
            sums[filterOffset + o] = sums[filterOffset + o] + value * dy[outputOffset + o];
          }
        }
      });
      df.set(sums);
      return output;
    },
  );
}
