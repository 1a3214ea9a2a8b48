/** Where the kernels of this package compute tfjs's convolutions faster than tfjs does, by measurement (docs/decisions.md). */
import { type Convolution, isNested } from '../../engine/convolution.js';

/** Pixels from which on the packing of filters and the tiles at the border do not outweigh what Winograd's algorithm saves. */
const LEAST_PIXELS = 256;
/** Pixels of a batch from which on the sums of a filter's gradient are worth their buffers. */
const LEAST_FILTER_GRADIENT_PIXELS = 32;
/** Channels in times channels out from which on a 1x1 filter costs tfjs more to transpose than this package to gather. */
const LEAST_POINTWISE_FILTER = 4096;
/** The smallest depthwise kernel for which XNNPACK has no kernel of its own. */
const LEAST_DEPTHWISE_KERNEL = 7;

const isDepthwise = ({ op, input }: Convolution): boolean =>
  op.levels[0].groups === input.channels && input.channels > 1;

/** Whether to take the convolution itself from this package: stride 1, padding 'same', odd square kernels from 3x3 to 13x13. */
export function isFasterForward(convolution: Convolution): boolean {
  const { op, output } = convolution;
  const least = isDepthwise(convolution) ? LEAST_DEPTHWISE_KERNEL : 1;
  return isNested(convolution) && op.levels[0].kernelSize[0] >= least && output.height * output.width >= LEAST_PIXELS;
}

/** Whether to take the gradient of the input. */
export function isFasterInputGradient(convolution: Convolution): boolean {
  const { op, input, output } = convolution;
  const isPointwise = op.levels[0].kernelSize.every((size) => size === 1);
  return isDepthwise(convolution) || !isPointwise || input.channels * output.channels >= LEAST_POINTWISE_FILTER;
}

/** Whether to take the gradient of the filter. */
export function isFasterFilterGradient(convolution: Convolution): boolean {
  const { batch, output } = convolution;
  return isDepthwise(convolution) || batch * output.height * output.width >= LEAST_FILTER_GRADIENT_PIXELS;
}
