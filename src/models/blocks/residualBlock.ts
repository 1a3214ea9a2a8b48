/** The basic block of ResNet-34. */
import { channels, type FeatureMap } from './apply.js';
import { convolution } from './convolution.js';
import { add, relu } from './merging.js';
import { normalization } from './normalization.js';

/**
 * Two 3x3 convolutions without bias, each normalised, added to the input and rectified (He et al. 2016). Where the size or
 * the channels change, the input goes through a 1x1 convolution with normalisation.
 */
export function residualBlock(
  seed: number,
  x: FeatureMap,
  { scope, filters, strides }: { scope: string; filters: number; strides: 1 | 2 },
): FeatureMap {
  let y = convolution(seed, x, { name: `${scope}/conv1`, filters, kernelSize: 3, strides, useBias: false });
  y = normalization(y, { name: `${scope}/norm1` });
  y = convolution(seed, y, { name: `${scope}/conv2`, filters, kernelSize: 3, useBias: false });
  y = normalization(y, { name: `${scope}/norm2`, activation: 'linear' });
  let shortcut = x;
  if (strides !== 1 || channels(x) !== filters) {
    shortcut = convolution(seed, x, { name: `${scope}/shortcut`, filters, kernelSize: 1, strides, useBias: false });
    shortcut = normalization(shortcut, { name: `${scope}/shortcutNorm`, activation: 'linear' });
  }
  return relu(add([y, shortcut], `${scope}/add`), `${scope}/relu`);
}
