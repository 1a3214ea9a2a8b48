/** Attention U-Net. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { nearestUpsampling } from '../layers/nearestUpsampling.js';
import { apply } from './blocks/apply.js';
import { attentionGate } from './blocks/attentionGate.js';
import { convolution } from './blocks/convolution.js';
import { doubleConvolution } from './blocks/doubleConvolution.js';
import { concatenate } from './blocks/merging.js';
import { buildNetwork } from './blocks/network.js';
import { normalization } from './blocks/normalization.js';
import { uShape } from './blocks/uShape.js';
import { type NetworkKind, type NetworkOptions, resolveOptions } from './options.js';

const KIND: NetworkKind = { name: 'attention-unet', title: 'Attention U-Net', widths: [64, 128, 256, 512, 1024] };

/** Options of {@link attentionUNet}. */
export type AttentionUNetOptions = NetworkOptions;

/**
 * Attention U-Net (Oktay et al.: "Attention U-Net: learning where to look for the pancreas", MIDL 2018), as the public code
 * that the paper compared with: nearest enlargement, 3x3 convolution, normalisation, ReLU on the way up; the gate works at
 * the skip's resolution; concatenation [gated skip, up]. Height and width must be multiples of 2^(number of widths - 1).
 *
 * @param options Default widths 64, 128, 256, 512, 1024: 34,878,573 trainable parameters for 3 channels.
 * @returns A model from [batch, height, width, channels] to [batch, height, width, numClasses].
 * @throws InvalidArgumentError naming the option that is illegal, or the divisor that a fixed size is no multiple of.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.attentionUNet({ widths: [8, 16, 32], seed: 1 });
 * console.log(model.getLayer('decoder1/gate/alpha').outputShape); // [null, null, null, 1]
 * ```
 */
export function attentionUNet(options: AttentionUNetOptions = {}): tfl.LayersModel {
  const resolved = resolveOptions(KIND, options);
  const { widths } = resolved;
  return buildNetwork(KIND, resolved, 2 ** (widths.length - 1), (input, { seed, bottom, logits }) => {
    const x = uShape(input, {
      depth: widths.length,
      stage: (map, scope, i) => doubleConvolution(seed, map, scope, widths[i]),
      up: (map, scope, i) => {
        const larger = apply(nearestUpsampling({ size: 2, name: `${scope}/enlarge` }), map);
        const y = convolution(seed, larger, { name: `${scope}/up/conv`, filters: widths[i], kernelSize: 3 });
        return normalization(y, { name: `${scope}/up/norm` });
      },
      bottom,
      merge: (up, skip, scope) => concatenate([attentionGate(seed, up, skip, `${scope}/gate`), up], `${scope}/concat`),
    });
    return [logits(x)];
  });
}
