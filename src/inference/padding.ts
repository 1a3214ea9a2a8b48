/** Sizes that a network cannot take are filled up with the image's own border, and cut off again behind it. */
import * as tf from '@tensorflow/tfjs-core';

/** Repeats the last row and column until height and width are multiples of `divisor`. To be called within a tidy. */
export function padToMultiple(x: tf.Tensor4D, divisor: number): tf.Tensor4D {
  const grow = (map: tf.Tensor4D, axis: 1 | 2): tf.Tensor4D => {
    const size = map.shape[axis];
    const missing = Math.ceil(size / divisor) * divisor - size;
    if (missing === 0) return map;
    const begin = [0, 0, 0, 0];
    begin[axis] = size - 1;
    const last = tf.slice(map, begin, [-1, axis === 1 ? 1 : -1, axis === 2 ? 1 : -1, -1]);
    return tf.concat([map, ...new Array<tf.Tensor4D>(missing).fill(last)], axis);
  };
  return grow(grow(x, 1), 2);
}

/** The top left part of a map. To be called within a tidy. */
export function cropTo(map: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  if (map.shape[1] === height && map.shape[2] === width) return map;
  return tf.slice(map, [0, 0, 0, 0], [-1, height, width, -1]);
}
