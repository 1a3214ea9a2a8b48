/** The ops `pyConv2d` and `groupConv2d`. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import { checkImageKeys, PY_CONV_OPTIONS, type PyConvOptions, pyConvSpec } from '../spec/index.js';
import { checkFloats, received } from './checkFloats.js';
import { ensureKernels } from './ensureKernels.js';
import { PY_CONV_2D, type PyConvAttrs } from './kernelNames.js';
import { runKernel } from './registry.js';

/** Options of {@link pyConv2d}. */
export interface PyConv2dOptions extends PyConvOptions {
  /** [filters of all levels], added before the activation. */
  readonly bias?: tf.Tensor1D;
}

const OPTIONS = [...PY_CONV_OPTIONS, 'bias'];

function checkBias(bias: tf.Tensor1D, channels: number): void {
  checkFloats('bias', bias, [1]);
  if (bias.size !== channels) {
    throw new InvalidArgumentError(
      `bias must have one value for each of the ${channels} output channels. Received: ${bias.size} values.`,
    );
  }
}

/**
 * Pyramidal convolution (Duta et al. 2020): several grouped convolutions of growing kernel over one input, their outputs
 * concatenated along the channels.
 *
 * @param x [batch, height, width, channels], or [height, width, channels] for one image; float32.
 * @param filters One filter [k, k, channels / groups, levelFilters] per level, k odd.
 * @param options Groups per level (default 1), strides, padding ('same' by default), dilations, bias, activation.
 * @returns [batch, outHeight, outWidth, sum of levelFilters], of rank 3 where x is.
 * @throws InvalidArgumentError where an option is unknown, or shapes, groups, padding or activation do not fit; the
 *   message names level and numbers.
 * Differentiable once with respect to x, every filter and the bias, on every backend.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { pyConv2d } from 'pyconvunet';
 *
 * const x = tf.ones<tf.Rank.R4>([1, 16, 16, 8]);
 * const y = pyConv2d(x, [tf.ones([3, 3, 8, 4]), tf.ones([5, 5, 2, 4])], { groups: [1, 4] });
 * console.log(y.shape); // [1, 16, 16, 8]
 * ```
 */
export function pyConv2d<T extends tf.Tensor3D | tf.Tensor4D>(
  x: T,
  filters: readonly tf.Tensor4D[],
  options: PyConv2dOptions = {},
): T {
  checkImageKeys('pyConv2d', options, OPTIONS);
  checkFloats('x', x, [3, 4]);
  if (!Array.isArray(filters)) {
    throw new InvalidArgumentError(
      `filters must be a list with one filter per level. Received: ${received(filters)}. Write [filter] for one level.`,
    );
  }
  filters.forEach((filter, i) => {
    checkFloats(`The filter of level ${i + 1}`, filter, [4]);
  });
  const { bias, ...geometry } = options;
  return tf.tidy(() => {
    const batched = x.rank === 4 ? (x as tf.Tensor4D) : tf.expandDims<tf.Tensor4D>(x, 0);
    const spec = pyConvSpec(
      batched.shape,
      filters.map((filter) => filter.shape),
      geometry,
    );
    if (bias !== undefined) checkBias(bias, spec.output.channels);
    ensureKernels();
    const inputs = [batched, ...filters, ...(bias === undefined ? [] : [bias])];
    const [y] = runKernel<PyConvAttrs>(PY_CONV_2D, inputs, { spec });
    if (y === undefined) throw new Error('PyConv2D returned no tensor.');
    return (x.rank === 4 ? y : tf.squeeze(y, [0])) as T;
  });
}

/** Options of {@link groupConv2d}. */
export interface GroupConv2dOptions extends Omit<PyConv2dOptions, 'groups'> {
  /** Default 1. As many as channels: a depthwise convolution. */
  readonly groups?: number;
}

/**
 * Grouped convolution: group i of the output channels sees group i of the input channels alone. A pyramid of one level.
 *
 * @param x [batch, height, width, channels], or [height, width, channels]; float32.
 * @param filter [k, k, channels / groups, filters], k odd.
 * @param options See {@link pyConv2d}.
 * @returns [batch, outHeight, outWidth, filters], of rank 3 where x is.
 * @throws InvalidArgumentError as {@link pyConv2d} does.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { groupConv2d } from 'pyconvunet';
 *
 * const depthwise = groupConv2d(tf.ones<tf.Rank.R4>([1, 16, 16, 8]), tf.ones([3, 3, 1, 8]), { groups: 8 });
 * console.log(depthwise.shape); // [1, 16, 16, 8]
 * ```
 */
export function groupConv2d<T extends tf.Tensor3D | tf.Tensor4D>(
  x: T,
  filter: tf.Tensor4D,
  options: GroupConv2dOptions = {},
): T {
  checkImageKeys('groupConv2d', options, OPTIONS);
  return pyConv2d(x, [filter], options);
}
