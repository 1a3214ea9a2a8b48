/** U-Net. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { transposedConvolution } from './blocks/convolution.js';
import { doubleConvolution } from './blocks/doubleConvolution.js';
import { buildNetwork } from './blocks/network.js';
import { uShape } from './blocks/uShape.js';
import { type NetworkKind, type NetworkOptions, resolveOptions } from './options.js';

const KIND: NetworkKind = { name: 'unet', title: 'U-Net', widths: [32, 64, 128, 256, 512] };

/** Options of {@link uNet}. */
export type UNetOptions = NetworkOptions;

/**
 * U-Net (Ronneberger, Fischer, Brox: "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015) with
 * batch normalisation and 'same' padding: (3x3 convolution, normalisation, ReLU) twice a stage, 2x2 maximum pooling, 2x2
 * transposed convolution, concatenation. Height and width must be multiples of 2^(number of widths - 1).
 *
 * @param options Default widths 32, 64, 128, 256, 512: 7,765,985 trainable parameters for 3 channels.
 * @returns A model from [batch, height, width, channels] to [batch, height, width, numClasses].
 * @throws InvalidArgumentError naming the option that is illegal, or the divisor that a fixed size is no multiple of.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.uNet({ inputShape: [64, 64, 1], widths: [8, 16, 32], seed: 1 });
 * console.log(model.outputs[0]?.shape); // [null, 64, 64, 1]
 * ```
 */
export function uNet(options: UNetOptions = {}): tfl.LayersModel {
  const resolved = resolveOptions(KIND, options);
  const { widths } = resolved;
  return buildNetwork(KIND, resolved, 2 ** (widths.length - 1), (input, { seed, bottom, logits }) => {
    const x = uShape(input, {
      depth: widths.length,
      stage: (map, scope, i) => doubleConvolution(seed, map, scope, widths[i]),
      up: (map, scope, i) =>
        transposedConvolution(seed, map, { name: `${scope}/up`, filters: widths[i], kernelSize: 2 }),
      bottom,
    });
    return [logits(x)];
  });
}
