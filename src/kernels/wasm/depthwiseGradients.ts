/** The gradients of a depthwise convolution by direct loops over the heap, where the tables of a program would be too large. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type * as tf from '@tensorflow/tfjs-core';
import { makeOutputs, moveHere, valuesOf } from './heap.js';

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

/** The gradient of the input. */
export function depthwiseInputGradient(
  backend: BackendWasm,
  info: tf.backend_util.Conv2DInfo,
  inputs: { readonly dy: tf.TensorInfo; readonly filter: tf.TensorInfo },
): tf.TensorInfo {
  moveHere(backend, [inputs.dy, inputs.filter]);
  const [output] = makeOutputs(backend, [info.inShape]);
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
}

/** The gradient of the filter. */
export function depthwiseFilterGradient(
  backend: BackendWasm,
  info: tf.backend_util.Conv2DInfo,
  inputs: { readonly x: tf.TensorInfo; readonly dy: tf.TensorInfo },
): tf.TensorInfo {
  moveHere(backend, [inputs.x, inputs.dy]);
  const [output] = makeOutputs(backend, [info.filterShape]);
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
}
