/** Models and images for tests of prediction. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type ModelMetadata, setMetadata } from '../../src/inference/index.js';

/** `length` values in [-1, 1), other ones for each seed. */
export function noise(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + (seed + 1) * 78.233));
}

/**
 * A network whose output is known without a network: one channel is its input cut to [0, 1]; of three, the softmax of
 * [-4 x, 0, 4 x].
 */
export function patches({ numClasses = 1 }: { numClasses?: 1 | 3 } = {}): tfl.LayersModel {
  const kernel = numClasses === 1 ? [1] : [-4, 0, 4];
  const weights = [tf.tensor4d(kernel, [1, 1, 1, numClasses])];
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        filters: numClasses,
        kernelSize: 1,
        useBias: false,
        inputShape: [null, null, 1],
        weights,
      }),
      numClasses === 1 ? tfl.layers.reLU({ maxValue: 1 }) : tfl.layers.activation({ activation: 'softmax' }),
    ],
  });
  tf.dispose(weights);
  return model;
}

/** Describes a model: binary, bytes, no resizing, unless said otherwise. */
export function describeModel(model: tfl.LayersModel, metadata: Partial<ModelMetadata>): void {
  setMetadata(model, {
    formatVersion: 1,
    network: 'test',
    preprocessing: { channels: 1, size: null, intensity: { kind: 'range', low: 0, high: 255 } },
    classes: ['background', 'foreground'],
    threshold: 0.5,
    ...metadata,
  });
}
