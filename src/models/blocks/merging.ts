/** Layers that bring maps of one size together, and pooling. */
import * as tfl from '@tensorflow/tfjs-layers';
import { apply, type FeatureMap } from './apply.js';

/** The channels of several maps, one after the other. */
export function concatenate(maps: FeatureMap[], name: string): FeatureMap {
  return apply(tfl.layers.concatenate({ axis: 3, name }), maps);
}

/** The sum of several maps. */
export function add(maps: FeatureMap[], name: string): FeatureMap {
  return apply(tfl.layers.add({ name }), maps);
}

/** ReLU where no normalisation computes it in its own pass. */
export function relu(x: FeatureMap, name: string): FeatureMap {
  return apply(tfl.layers.activation({ activation: 'relu', name }), x);
}

/** Maximum over 2x2 pixels. */
export function maxPool(x: FeatureMap, name: string): FeatureMap {
  return apply(tfl.layers.maxPooling2d({ poolSize: 2, strides: 2, padding: 'valid', name }), x);
}
