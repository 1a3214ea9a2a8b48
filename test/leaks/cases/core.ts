/** Leak cases of what the core entry exports beside its namespaces. */
import * as tf from '@tensorflow/tfjs-core';
import * as core from '../../../src/index.js';
import { withGradients } from '../inputs.js';
import type { LeakCases } from '../leakCase.js';

export const cases: LeakCases = {
  pyConv2d: () =>
    withGradients(
      [tf.ones([1, 6, 6, 4]), tf.ones([3, 3, 4, 2]), tf.ones([5, 5, 1, 4]), tf.ones([6])],
      (x, first, second, bias) =>
        core.pyConv2d(x as tf.Tensor4D, [first as tf.Tensor4D, second as tf.Tensor4D], {
          groups: [1, 4],
          bias: bias as tf.Tensor1D,
          activation: 'relu',
        }),
    ),
  groupConv2d: () =>
    withGradients([tf.ones([6, 6, 4]), tf.ones([3, 3, 2, 4])], (x, filter) =>
      core.groupConv2d(x as tf.Tensor3D, filter as tf.Tensor4D, { groups: 2, strides: 2, padding: 1 }),
    ),
  batchNorm: () => {
    withGradients([tf.randomNormal([2, 4, 4, 3]), tf.ones([3]), tf.zeros([3])], (x, gamma, beta) => {
      const options = { gamma: gamma as tf.Tensor1D, beta: beta as tf.Tensor1D, activation: 'relu' } as const;
      const { y, mean, variance } = core.batchNorm(x, options);
      tf.dispose([mean, variance]);
      return y;
    });
    const [x, mean, variance] = [tf.randomNormal([4, 3]), tf.zeros<tf.Rank.R1>([3]), tf.ones<tf.Rank.R1>([3])];
    const result = core.batchNorm(x, { moving: { mean, variance } });
    tf.dispose([x, mean, variance, result.y, result.mean, result.variance]);
  },
  useBackend: () => core.useBackend(tf.getBackend(), { log: () => {} }),
  doctor: () => core.doctor(),
  DataError: () => new core.DataError('message'),
  InvalidArgumentError: () => new core.InvalidArgumentError('message'),
  OutOfMemoryError: () => new core.OutOfMemoryError('message'),
  UnsupportedBackendError: () => new core.UnsupportedBackendError('message'),
};
