/** MaxPoolGrad on wasm; tfjs's own gives the gradient of a window without a positive value to its first element. */
import * as tf from '@tensorflow/tfjs-core';
import { makeOutputs, moveHere, valuesOf } from './heap.js';
import { registerWasmKernel } from './register.js';

interface Inputs {
  readonly dy: tf.Tensor4D;
  readonly input: tf.Tensor4D;
}

type Pool = tf.backend_util.Conv2DInfo;

/** Adds every value of dy to the first largest element of its window, as tfjs's other backends and PyTorch do. */
function scatterToMaxima(dy: Float32Array, x: Float32Array, dx: Float32Array, pool: Pool): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels: channels } = pool;
  const largest = new Float32Array(channels);
  const at = new Int32Array(channels);
  let out = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * pool.strideHeight - pool.padInfo.top;
      const firstRow = Math.max(0, top);
      const lastRow = Math.min(inHeight, top + pool.effectiveFilterHeight);
      for (let column = 0; column < outWidth; column++, out += channels) {
        const left = column * pool.strideWidth - pool.padInfo.left;
        const firstColumn = Math.max(0, left);
        const lastColumn = Math.min(inWidth, left + pool.effectiveFilterWidth);
        largest.fill(Number.NEGATIVE_INFINITY);
        at.fill(-1);
        for (let i = firstRow; i < lastRow; i++) {
          for (let j = firstColumn; j < lastColumn; j++) {
            const pixel = ((n * inHeight + i) * inWidth + j) * channels;
            for (let c = 0; c < channels; c++) {
              if (!(x[pixel + c] > largest[c])) continue;
              largest[c] = x[pixel + c];
              at[c] = pixel + c;
            }
          }
        }
        for (let c = 0; c < channels; c++) {
          if (at[c] >= 0) dx[at[c]] += dy[out + c];
        }
      }
    }
  }
}

/** Registers MaxPoolGrad for two-dimensional pooling. */
export function registerMaxPoolGrad(): void {
  registerWasmKernel<Inputs, tf.MaxPoolGradAttrs>(tf.MaxPoolGrad, ({ inputs, attrs, backend }) => {
    const { dy, input } = inputs;
    const { filterSize, strides, pad, dimRoundingMode } = attrs;
    const pool = tf.backend_util.computePool2DInfo(input.shape, filterSize, strides, 1, pad, dimRoundingMode);
    moveHere(backend, [dy, input]);
    const [output] = makeOutputs(backend, [input.shape]);
    const [dyValues, x, dx] = valuesOf(backend, [dy, input, output]);
    dx.fill(0);
    scatterToMaxima(dyValues, x, dx, pool);
    return output;
  });
}
