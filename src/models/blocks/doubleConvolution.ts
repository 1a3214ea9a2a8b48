/** The stage of U-Net and its relatives: twice 3x3 convolution with bias, normalisation, ReLU. */
import type { FeatureMap } from './apply.js';
import { convolution } from './convolution.js';
import { normalization } from './normalization.js';

/** (3x3 convolution, batch normalisation, ReLU) twice; layers `scope/conv1`, `scope/norm1`, `scope/conv2`, `scope/norm2`. */
export function doubleConvolution(seed: number, x: FeatureMap, scope: string, filters: number): FeatureMap {
  let y = x;
  for (const i of [1, 2]) {
    y = convolution(seed, y, { name: `${scope}/conv${i}`, filters, kernelSize: 3 });
    y = normalization(y, { name: `${scope}/norm${i}` });
  }
  return y;
}
