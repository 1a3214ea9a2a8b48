/** The masks of dropout for planned steps: those that the layers would draw. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { Dropout } from '../layers/dropout.js';
import type { DrawMask } from '../plan/index.js';
import { deriveSeed } from '../runtime/random.js';

/** Where a forward pass stands in a run: steps of the optimizer before it, and pieces of the batch. */
export interface PassPosition {
  readonly step: number;
  readonly piece: number;
}

/** All layers, those of nested models by the names of the models around them. */
function layersByPath(model: tfl.LayersModel, prefix = ''): [string, tfl.layers.Layer][] {
  return model.layers.flatMap((layer): [string, tfl.layers.Layer][] =>
    layer instanceof tfl.LayersModel
      ? layersByPath(layer, `${prefix}${layer.name}/`)
      : [[`${prefix}${layer.name}`, layer]],
  );
}

/** tf.layers' own dropout with a seed draws the same mask in every step, as tfjs does; without one the run's seed decides. */
function ownMask(layer: tfl.layers.Layer, shape: [number, number, number, number], runSeed: number): tf.Tensor {
  const { rate, noiseShape, seed } = layer.getConfig();
  const noise = Array.isArray(noiseShape) ? noiseShape.map((length, axis) => Number(length ?? shape[axis])) : undefined;
  return tf.dropout(tf.ones(shape), Number(rate), noise, typeof seed === 'number' ? seed : runSeed);
}

/**
 * What draws the masks of a network.
 *
 * @param seed The run's.
 * @returns For each forward pass the function that draws its masks.
 */
export function dropoutMasks(network: tfl.LayersModel, seed: number): (position: PassPosition) => DrawMask {
  const layers = new Map(layersByPath(network));
  return ({ step, piece }) => {
    let drawn = 0;
    return (path, shape) => {
      const layer = layers.get(path);
      if (layer === undefined) throw new Error(`The network has no layer ${path}.`);
      const runSeed = deriveSeed(seed, 'dropout', step, piece, drawn++);
      if (layer instanceof Dropout) return layer.drawMask(shape.reduce((size, length) => size * length, 1));
      const mask = tf.tidy(() => ownMask(layer, [...shape], runSeed));
      const values = mask.dataSync<'float32'>();
      mask.dispose();
      return values;
    };
  };
}
