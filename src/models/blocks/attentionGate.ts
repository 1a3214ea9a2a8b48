/** The additive attention gate. */
import * as tfl from '@tensorflow/tfjs-layers';
import { apply, channels, type FeatureMap } from './apply.js';
import { convolution } from './convolution.js';
import { add, relu } from './merging.js';
import { normalization } from './normalization.js';

/**
 * Weighs every pixel of the skip `x` by alpha = sigmoid(BN(psi ReLU(BN(Wg g) + BN(Wx x)))), all convolutions 1x1, g and x of
 * one resolution (Oktay et al. 2018). The gate has half as many channels as the skip.
 */
export function attentionGate(seed: number, g: FeatureMap, x: FeatureMap, scope: string): FeatureMap {
  const project = (map: FeatureMap, part: string, filters: number) => {
    const projected = convolution(seed, map, { name: `${scope}/${part}`, filters, kernelSize: 1 });
    return normalization(projected, { name: `${scope}/${part}Norm`, activation: 'linear' });
  };
  const inner = Math.max(1, Math.floor(channels(x) / 2));
  const sum = add([project(g, 'g', inner), project(x, 'x', inner)], `${scope}/add`);
  const psi = project(relu(sum, `${scope}/relu`), 'psi', 1);
  const alpha = apply(tfl.layers.activation({ activation: 'sigmoid', name: `${scope}/alpha` }), psi);
  return apply(tfl.layers.multiply({ name: `${scope}/multiply` }), [x, alpha]);
}
