/** How every kernel of every network starts. */
import * as tfl from '@tensorflow/tfjs-layers';
import { deriveSeed } from '../../runtime/random.js';

/**
 * PyTorch's default: uniform within 1 / sqrt(fanIn), where fanIn is k k channels / groups, of a transposed convolution
 * k k filters. The seed is derived from the layer's name, since tfjs gives equal weights to layers of one shape and seed.
 */
export function kernelInitializer(seed: number, layerName: string) {
  return tfl.initializers.varianceScaling({
    scale: 1 / 3,
    mode: 'fanIn',
    distribution: 'uniform',
    seed: deriveSeed(seed, layerName),
  });
}
