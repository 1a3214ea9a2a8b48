/** FCN8s on VGG16's features. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { FeatureMap } from './blocks/apply.js';
import { convolution, transposedConvolution } from './blocks/convolution.js';
import { add, maxPool, relu } from './blocks/merging.js';
import { buildNetwork } from './blocks/network.js';
import { normalization } from './blocks/normalization.js';
import { type NetworkKind, type NetworkOptions, resolveOptions } from './options.js';

const KIND: NetworkKind = { name: 'fcn8s', title: 'FCN8s', widths: [64, 128, 256, 512, 512] };

/** Options of {@link fcn8s}. */
export type Fcn8sOptions = NetworkOptions;

/** A stage of VGG16: two 3x3 convolutions with ReLU in the first two stages, three in the others; then pooling. */
function vggStage(seed: number, input: FeatureMap, filters: number, stage: number): FeatureMap {
  const scope = `encoder${stage}`;
  let x = input;
  for (let j = 1; j <= (stage <= 2 ? 2 : 3); j++) {
    x = convolution(seed, x, { name: `${scope}/conv${j}`, filters, kernelSize: 3 });
    x = relu(x, `${scope}/relu${j}`);
  }
  return maxPool(x, `${scope}/pool`);
}

/**
 * FCN8s (Long, Shelhamer, Darrell: "Fully convolutional networks for semantic segmentation", CVPR 2015) as the public code
 * that the paper compared with: the features of VGG16, then 3x3 transposed convolutions of stride 2, each with ReLU and then
 * normalisation; the two poolings above the deepest are added before it. Height and width must be multiples of
 * 2^(number of widths).
 *
 * @param options Default widths 64, 128, 256, 512, 512: 18,643,713 trainable parameters for 3 channels.
 * @returns A model from [batch, height, width, channels] to [batch, height, width, numClasses].
 * @throws InvalidArgumentError naming the option that is illegal, or the divisor that a fixed size is no multiple of.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.fcn8s({ widths: [8, 16, 16], seed: 1 });
 * console.log(models.divisor(model)); // 8
 * ```
 */
export function fcn8s(options: Fcn8sOptions = {}): tfl.LayersModel {
  const resolved = resolveOptions(KIND, options);
  const { widths } = resolved;
  const depth = widths.length;
  return buildNetwork(KIND, resolved, 2 ** depth, (input, { seed, bottom, logits }) => {
    const pools: FeatureMap[] = [];
    let x = input;
    for (const [i, filters] of widths.entries()) {
      x = vggStage(seed, x, filters, i + 1);
      pools.push(x);
    }
    x = bottom(x);
    for (let i = depth; i >= 1; i--) {
      const scope = `decoder${i}`;
      // The pooling of the resolution that this block reaches; the last block reaches the image itself.
      const skip = pools[i - 2];
      const filters = widths[i - 2] ?? Math.max(1, Math.floor(widths[0] / 2));
      x = relu(transposedConvolution(seed, x, { name: `${scope}/up`, filters, kernelSize: 3 }), `${scope}/relu`);
      if (skip !== undefined && i >= depth - 1) x = add([x, skip], `${scope}/add`);
      x = normalization(x, { name: `${scope}/norm`, activation: 'linear' });
    }
    return [logits(x)];
  });
}
