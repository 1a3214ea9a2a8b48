/** Applying a layer to symbolic maps, with the type that comes out. */
import * as tfl from '@tensorflow/tfjs-layers';

/** A map in a network that is being built. */
export type FeatureMap = tfl.SymbolicTensor;

/** Applies a layer of one output. */
export function apply(layer: tfl.layers.Layer, input: FeatureMap | FeatureMap[]): FeatureMap {
  const output = layer.apply(input);
  if (!(output instanceof tfl.SymbolicTensor))
    throw new Error(`Layer ${layer.name} did not return one symbolic tensor.`);
  return output;
}

/** The channels of a map. */
export function channels(x: FeatureMap): number {
  const count = x.shape[3];
  if (count === null || count === undefined) throw new Error(`The channels of ${x.name} are unknown.`);
  return count;
}
