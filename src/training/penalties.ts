/** The regularizers of a network as penalties that a planned step follows. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { type Penalty, UnplannableError } from '../plan/index.js';

/** A regularizer as a layer's settings tell it. */
interface Regularization {
  readonly className?: unknown;
  readonly config?: { readonly l1?: unknown; readonly l2?: unknown };
}

function penaltyOf(value: unknown): Penalty | null {
  const { className, config } = (value ?? {}) as Regularization;
  if (className !== 'L1L2') return null;
  return { l1: Number(config?.l1 ?? 0), l2: Number(config?.l2 ?? 0) };
}

/** The weights of a normalisation have regularizers of their own. */
function roleOf({ originalName, shape }: tfl.LayerVariable): string {
  const [name] = originalName.split('/').slice(-1);
  if (name === 'gamma' || name === 'beta') return name;
  return shape.length > 1 ? 'kernel' : 'bias';
}

/**
 * The penalties of all weights.
 *
 * @throws UnplannableError where the network has others.
 */
export function penaltiesOf(network: tfl.LayersModel): Map<tfl.LayerVariable, Penalty> {
  const penalties = new Map<tfl.LayerVariable, Penalty>();
  for (const layer of network.layers) {
    const config = layer.getConfig();
    for (const variable of layer.trainableWeights) {
      const penalty = penaltyOf(config[`${roleOf(variable)}Regularizer`]);
      if (penalty !== null) penalties.set(variable, penalty);
    }
  }
  const losses = network.calculateLosses();
  tf.dispose(losses);
  const unknown = losses.length - penalties.size;
  if (unknown > 0) throw new UnplannableError(`${unknown} of its regularizers are not known to the plan`);
  return penalties;
}
