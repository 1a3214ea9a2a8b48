/** Sizes that a network cannot take are filled up with the image's own border, and cut off again behind it. */
import * as tf from '@tensorflow/tfjs-core';

/** The smallest multiple of `divisor` that is not below `length`. */
export const nextMultiple = (length: number, divisor: number): number => Math.ceil(length / divisor) * divisor;

/**
 * Repeats the last row and column until height and width are multiples of `divisor`: at the right and the bottom only, so
 * that pixels keep their place in the network's poolings. To be called within a tidy.
 */
export function padToMultiple(x: tf.Tensor4D, divisor: number): tf.Tensor4D {
  const grow = (map: tf.Tensor4D, axis: 1 | 2): tf.Tensor4D => {
    const size = map.shape[axis];
    const padded = nextMultiple(size, divisor);
    if (padded === size) return map;
    const indices = Int32Array.from({ length: padded }, (_, i) => Math.min(i, size - 1));
    return tf.gather(map, tf.tensor1d(indices, 'int32'), axis);
  };
  return grow(grow(x, 1), 2);
}

/** The top left part of a map. To be called within a tidy. */
export function cropTo(map: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  if (map.shape[1] === height && map.shape[2] === width) return map;
  return tf.slice(map, [0, 0, 0, 0], [-1, height, width, -1]);
}
