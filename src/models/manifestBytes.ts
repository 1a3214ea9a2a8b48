/** How many bytes the weights of a manifest take. */
import type * as tf from '@tensorflow/tfjs-core';

const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  complex64: 8,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/** Bytes of all weights as their files hold them; undefined where a weight's type leaves its length open (strings). */
export function manifestBytes(weights: readonly tf.io.WeightsManifestEntry[]): number | undefined {
  let total = 0;
  for (const { shape, dtype, quantization } of weights) {
    const each = BYTES[quantization?.dtype ?? dtype];
    if (each === undefined) return undefined;
    total += shape.reduce((product, size) => product * size, each);
  }
  return total;
}
