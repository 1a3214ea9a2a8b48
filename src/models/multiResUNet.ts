/** MultiResUNet. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';
import { convolution, transposedConvolution } from './blocks/convolution.js';
import { concatenate } from './blocks/merging.js';
import { multiResBlock, resPath } from './blocks/multiRes.js';
import { buildNetwork } from './blocks/network.js';
import { normalization } from './blocks/normalization.js';
import { uShape } from './blocks/uShape.js';
import { type NetworkKind, type NetworkOptions, resolveOptions } from './options.js';

const KIND: NetworkKind = {
  name: 'multiresunet',
  title: 'MultiResUNet',
  widths: [32, 64, 128, 256, 512],
  ownOptions: ['alpha'],
};

/** Options of {@link multiResUNet}. */
export interface MultiResUNetOptions extends NetworkOptions {
  /** A block of width w shares alpha * w channels among its three convolutions. Default 1.67, as published. */
  readonly alpha?: number;
}

function blockParts(alpha: number, width: number): [number, number, number] {
  const total = alpha * width;
  const parts: [number, number, number] = [
    Math.floor(total * 0.167),
    Math.floor(total * 0.333),
    Math.floor(total * 0.5),
  ];
  if (!(parts[0] >= 1)) {
    throw new InvalidArgumentError(
      `${KIND.title} gives floor(0.167 alpha width) channels to the first convolution of a block, which must be at least 1. Received: alpha=${alpha}, width=${width}. Use widths of at least ${alpha > 0 ? Math.ceil(1 / (0.167 * alpha)) : 4} or a larger alpha.`,
    );
  }
  return parts;
}

/**
 * MultiResUNet (Ibtehaz and Rahman: "MultiResUNet: rethinking the U-Net architecture for multimodal biomedical image
 * segmentation", Neural Networks 2020), as the authors' code: blocks of floor(0.167 W), floor(0.333 W) and floor(0.5 W)
 * channels, W = alpha * width; paths of 4, 3, 2, 1 residual units on the skips; a normalised 1x1 convolution at the end,
 * so that the layer `logits` is a normalisation. Height and width must be multiples of 2^(number of widths - 1).
 *
 * @param options Default widths 32, 64, 128, 256, 512: 7,238,228 trainable parameters for 3 channels.
 * @returns A model from [batch, height, width, channels] to [batch, height, width, numClasses].
 * @throws InvalidArgumentError naming the option that is illegal, or the divisor that a fixed size is no multiple of.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.multiResUNet({ widths: [8, 16], seed: 1 });
 * console.log(model.outputs[0]?.shape); // [null, null, null, 1]
 * ```
 */
export function multiResUNet(options: MultiResUNetOptions = {}): tfl.LayersModel {
  const { alpha = 1.67, ...common } = options;
  const resolved = resolveOptions(KIND, common);
  const { widths, numClasses } = resolved;
  const depth = widths.length;
  const parts = widths.map((width) => blockParts(alpha, width));
  return buildNetwork(KIND, resolved, 2 ** (depth - 1), (input, { seed, bottom }) => {
    const x = uShape(input, {
      depth,
      stage: (map, scope, i) => multiResBlock(seed, map, scope, parts[i]),
      up: (map, scope, i) =>
        transposedConvolution(seed, map, { name: `${scope}/up`, filters: widths[i], kernelSize: 2 }),
      bottom,
      merge: (up, skip, scope, i) => {
        const path = { scope: `respath${i + 1}`, filters: widths[i], length: depth - 1 - i };
        return concatenate([up, resPath(seed, skip, path)], `${scope}/concat`);
      },
    });
    const head = convolution(seed, x, { name: 'head/conv', filters: numClasses, kernelSize: 1, useBias: false });
    return [normalization(head, { name: 'logits', activation: 'linear', scale: false })];
  });
}
