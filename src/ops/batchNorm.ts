/** The op behind the BatchNorm layer: normalisation with the statistics of the batch, or with moving ones. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import {
  BATCH_NORM_RANKS,
  type BatchNormActivation,
  checkBatchNorm,
  checkImageKeys,
  requireSeveralValues,
} from '../spec/index.js';
import { checkFloats } from './checkFloats.js';
import { ensureKernels } from './ensureKernels.js';
import { BATCH_NORM, type BatchNormAttrs } from './kernelNames.js';
import { runKernel } from './registry.js';

/** Options of {@link batchNorm}. */
export interface BatchNormOptions {
  /** Factor [channels]; left out: 1. */
  readonly gamma?: tf.Tensor1D;
  /** Offset [channels]; left out: 0. */
  readonly beta?: tf.Tensor1D;
  /** Added to the variance. Default 1e-5, as PyTorch. */
  readonly epsilon?: number;
  /** 'relu' puts a ReLU behind the normalisation, whose gradient needs the output alone. Default 'linear'. */
  readonly activation?: BatchNormActivation;
  /** Moving statistics to normalise with; left out: those of the batch. */
  readonly moving?: { readonly mean: tf.Tensor1D; readonly variance: tf.Tensor1D };
}

const OPTIONS = ['gamma', 'beta', 'epsilon', 'activation', 'moving'];

/** Result of {@link batchNorm}: the map and the statistics it was normalised with, all three tensors of their own. */
export interface BatchNormResult<T extends tf.Tensor> {
  readonly y: T;
  readonly mean: tf.Tensor1D;
  /** Biased, as the normalisation uses it. */
  readonly variance: tf.Tensor1D;
}

/**
 * Batch normalisation over the last axis (Ioffe and Szegedy 2015), with PyTorch's semantics: epsilon 1e-5, the biased
 * variance of the batch, optionally fused with a ReLU. Tapes one op and keeps only its input and output, where tfjs's own
 * keeps about four maps a layer.
 *
 * @param x [..., channels], float32, rank 2 to 4.
 * @param options Factor, offset, epsilon, activation, and moving statistics for inference.
 * @returns The normalised map and the statistics used: the batch's, or copies of the moving ones, so that the result can be
 *   disposed of without them. No gradient flows through the batch's.
 * @throws InvalidArgumentError for an illegal option, and where x has one value per channel only, so that there is no
 *   variance.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { batchNorm } from 'pyconvunet';
 *
 * const { y } = batchNorm(tf.tensor2d([[0], [2]]), { activation: 'relu' });
 * y.print(); // [[0], [0.999995]]
 * ```
 */
export function batchNorm<T extends tf.Tensor>(x: T, options: BatchNormOptions = {}): BatchNormResult<T> {
  checkImageKeys('batchNorm', options, OPTIONS);
  const { gamma, beta, epsilon = 1e-5, activation = 'linear', moving } = options;
  checkBatchNorm('batchNorm', { epsilon, activation });
  checkFloats('x', x, BATCH_NORM_RANKS);
  const channels = x.shape[x.rank - 1] ?? 0;
  for (const [name, vector] of Object.entries({
    gamma,
    beta,
    'moving.mean': moving?.mean,
    'moving.variance': moving?.variance,
  })) {
    if (vector === undefined) continue;
    checkFloats(name, vector, [1]);
    if (vector.size !== channels) {
      throw new InvalidArgumentError(
        `${name} must have the shape [${channels}]. Received: shape [${vector.shape.join(', ')}].`,
      );
    }
  }
  if (moving !== undefined) {
    const y = tf.tidy(() => {
      const normalised = tf.batchNorm(
        x as tf.Tensor,
        moving.mean,
        moving.variance,
        beta ?? tf.zeros([channels]),
        gamma ?? tf.ones([channels]),
        epsilon,
      );
      return (activation === 'relu' ? tf.relu(normalised) : normalised) as T;
    });
    return { y, mean: tf.clone(moving.mean), variance: tf.clone(moving.variance) };
  }
  requireSeveralValues(x.shape);
  ensureKernels();
  const attrs: BatchNormAttrs = { epsilon, activation, scale: gamma !== undefined, center: beta !== undefined };
  const inputs = [x, gamma, beta].filter((tensor): tensor is T => tensor !== undefined);
  const [y, mean, variance] = runKernel(BATCH_NORM, inputs, attrs);
  if (y === undefined || mean === undefined || variance === undefined)
    throw new Error('BatchNorm returned fewer than three tensors.');
  return { y: y as T, mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D };
}
