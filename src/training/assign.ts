/** Values of weights as they are. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** Gives a weight values that its constraint has shaped before: applied once more it would change their last bits. */
export function assign(weight: tfl.LayerVariable, values: tf.Tensor): void {
  (weight.read() as tf.Variable).assign(values);
}
