/** Pyramidal convolutions in a network. */
import { pyConv2d } from '../../layers/index.js';
import { apply, type FeatureMap } from './apply.js';
import { convolution } from './convolution.js';
import { kernelInitializer } from './initializer.js';
import { normalization } from './normalization.js';

/** The pyramid of every pyramidal convolution in a network; left out: the defaults of the layer. */
export interface Pyramid {
  /** Odd kernel sizes, one per level. Default 3, 5, 7, 9. */
  readonly kernelSizes?: readonly number[];
  /**
   * Groups per level, or 'auto' (default): the largest legal powers of two not above 1, 4, 8, 16, which are those numbers
   * wherever the channels allow them. Numbers that do not fit are an error.
   */
  readonly groups?: readonly number[] | 'auto';
  /** Shares of the output channels, one per level. Default 1/8, 1/8, 1/4, 1/2. */
  readonly split?: readonly number[];
}

function pyramidalConvolution(
  seed: number,
  x: FeatureMap,
  { name, filters, pyramid }: { name: string; filters: number; pyramid: Pyramid },
): FeatureMap {
  const { kernelSizes, groups = 'auto', split } = pyramid;
  const layer = pyConv2d({
    name,
    filters,
    groups,
    ...(kernelSizes === undefined ? {} : { kernelSizes }),
    ...(split === undefined ? {} : { split }),
    useBias: false,
    kernelInitializer: kernelInitializer(seed, name),
  });
  return apply(layer, x);
}

/** What a block needs besides its input. */
export interface PyConvBlockOptions {
  readonly scope: string;
  /** Channels inside the block. */
  readonly planes: number;
  /** Channels that the block returns. */
  readonly filters: number;
  readonly pyramid: Pyramid;
}

/**
 * PyConvBlock: 1x1 convolution, pyramidal convolution, 1x1 convolution, without biases, each with normalisation and ReLU
 * (Duta et al. 2020); then the stage's own normalisation and ReLU (Li, Fan, Cai 2021).
 */
export function pyConvBlock(seed: number, x: FeatureMap, options: PyConvBlockOptions): FeatureMap {
  const { scope, planes, filters, pyramid } = options;
  let y = convolution(seed, x, { name: `${scope}/reduce`, filters: planes, kernelSize: 1, useBias: false });
  y = normalization(y, { name: `${scope}/reduceNorm` });
  y = pyramidalConvolution(seed, y, { name: `${scope}/pyconv`, filters: planes, pyramid });
  y = normalization(y, { name: `${scope}/pyconvNorm` });
  y = convolution(seed, y, { name: `${scope}/expand`, filters, kernelSize: 1, useBias: false });
  y = normalization(y, { name: `${scope}/expandNorm` });
  return normalization(y, { name: `${scope}/norm` });
}

/** A pyramidal convolution in the place of a 3x3 convolution, without bias, with normalisation and ReLU. */
export function pyConvNorm(
  seed: number,
  x: FeatureMap,
  { scope, index, filters, pyramid }: { scope: string; index: number; filters: number; pyramid: Pyramid },
): FeatureMap {
  const y = pyramidalConvolution(seed, x, { name: `${scope}/pyconv${index}`, filters, pyramid });
  return normalization(y, { name: `${scope}/norm${index}` });
}
