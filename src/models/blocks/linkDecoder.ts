/** The decoder block of LinkNet and its relatives. */
import { channels, type FeatureMap } from './apply.js';
import { convolution, transposedConvolution } from './convolution.js';
import { normalization } from './normalization.js';

/** 1x1 convolution to a quarter of the channels, 3x3 transposed convolution of stride 2, 1x1 convolution; each with bias,
 * normalisation and ReLU (Chaurasia and Culurciello 2017). */
export function linkDecoder(seed: number, x: FeatureMap, scope: string, filters: number): FeatureMap {
  const inner = Math.max(1, Math.floor(channels(x) / 4));
  let y = convolution(seed, x, { name: `${scope}/reduce`, filters: inner, kernelSize: 1 });
  y = normalization(y, { name: `${scope}/reduceNorm` });
  y = transposedConvolution(seed, y, { name: `${scope}/up`, filters: inner, kernelSize: 3 });
  y = normalization(y, { name: `${scope}/upNorm` });
  y = convolution(seed, y, { name: `${scope}/expand`, filters, kernelSize: 1 });
  return normalization(y, { name: `${scope}/expandNorm` });
}
