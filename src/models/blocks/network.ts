/** What every network has around its body: input, check of the size, dropout at the bottom, logits and their activation. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { dropout } from '../../layers/dropout.js';
import { SizeGuard } from '../../layers/sizeGuard.js';
import { requireBackend } from '../../runtime/requireBackend.js';
import type { NetworkKind, ResolvedOptions } from '../options.js';
import { apply, type FeatureMap } from './apply.js';
import { convolution } from './convolution.js';

/** What a body builds from. */
export interface BodyContext {
  /** Of the whole network; blocks derive the seeds of their layers from it. */
  readonly seed: number;
  /** Behind the deepest stage: dropout where the options ask for it. */
  readonly bottom: (x: FeatureMap) => FeatureMap;
  /** A 1x1 convolution with bias to the classes. */
  readonly logits: (x: FeatureMap, name?: string) => FeatureMap;
}

/** Builds the maps of logits, the one that the network predicts from last; the layer that makes it is named `logits`. */
export type Body = (x: FeatureMap, context: BodyContext) => FeatureMap[];

function assemble(kind: NetworkKind, options: ResolvedOptions, divisor: number, body: Body): tfl.LayersModel {
  const { inputShape, numClasses, head, dropout: rate, seed, name } = options;
  const input = tfl.input({ shape: [...inputShape], name: 'input' });
  const x = apply(new SizeGuard({ divisor, network: { name: kind.title }, name: 'size' }), input);
  const logits = body(x, {
    seed,
    bottom: (deepest) => (rate > 0 ? apply(dropout({ rate, seed, name: 'dropout' }), deepest) : deepest),
    logits: (features, layerName = 'logits') =>
      convolution(seed, features, { name: layerName, filters: numClasses, kernelSize: 1 }),
  });
  const activation = numClasses === 1 ? 'sigmoid' : 'softmax';
  const outputs =
    head === 'logits'
      ? logits
      : logits.map((map) => {
          const layerName = map.sourceLayer.name.replace('logits', 'probability');
          return apply(tfl.layers.activation({ activation, name: layerName }), map);
        });
  return tfl.model({ inputs: input, outputs, name });
}

/**
 * Builds a model around a body.
 *
 * @param kind Names of the network.
 * @param options Its options, resolved.
 * @param divisor Height and width must be multiples of it.
 * @param body Everything between the input and the logits.
 * @returns A model of one output per map of logits.
 * @throws UnsupportedBackendError where no backend runs. InvalidArgumentError where a fixed height or width is no multiple of the divisor, and what the body throws; no
 *   weight is left behind then.
 */
export function buildNetwork(
  kind: NetworkKind,
  options: ResolvedOptions,
  divisor: number,
  body: Body,
): tfl.LayersModel {
  requireBackend();
  const { registeredVariables } = tf.engine();
  const before = new Set(Object.keys(registeredVariables));
  try {
    return assemble(kind, options, divisor, body);
  } catch (error) {
    // The layers built so far hold weights that nobody could dispose of.
    for (const [name, variable] of Object.entries(registeredVariables)) {
      if (!before.has(name)) variable.dispose();
    }
    throw error;
  }
}
