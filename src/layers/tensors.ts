/** What tfjs-layers hands to a layer, narrowed to what one-input layers take. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { FreeShape } from '../spec/index.js';

/** The one tensor of a layer's input. */
export function oneTensor(inputs: tf.Tensor | tf.Tensor[], layerName: string): tf.Tensor {
  if (!Array.isArray(inputs)) return inputs;
  const [only] = inputs;
  if (only === undefined || inputs.length > 1) {
    throw new InvalidArgumentError(`Layer ${layerName} takes one tensor. Received: ${inputs.length}.`);
  }
  return only;
}

/** The one shape of a layer's input. */
export function oneShape(shape: tfl.Shape | tfl.Shape[], layerName: string): tfl.Shape {
  const [first] = shape;
  if (!Array.isArray(first)) return shape as tfl.Shape;
  if (shape.length > 1)
    throw new InvalidArgumentError(`Layer ${layerName} takes one tensor. Received: ${shape.length} shapes.`);
  return first;
}

/** [batch, height, width, channels] with known channels. */
export function imageShape(shape: tfl.Shape | tfl.Shape[], layerName: string): FreeShape {
  const one = oneShape(shape, layerName);
  const [batch = null, height = null, width = null, channels = null] = one;
  if (one.length !== 4 || channels === null) {
    throw new InvalidArgumentError(
      `Layer ${layerName} takes images [batch, height, width, channels] with a known number of channels. Received: shape [${one.map((d) => d ?? 'null').join(', ')}].`,
    );
  }
  return [batch, height, width, channels];
}
