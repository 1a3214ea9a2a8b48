/** Registers the composed kernels for a backend that has none of ours, and the gradients once. */
import * as tf from '@tensorflow/tfjs-core';
import { composedBatchNorm, composedBatchNormGrad } from './batchNormKernels.js';
import { registerGradients } from './gradients.js';
import {
  BATCH_NORM,
  BATCH_NORM_GRAD,
  PY_CONV_2D,
  PY_CONV_2D_BACKPROP_FILTER,
  PY_CONV_2D_BACKPROP_INPUT,
} from './kernelNames.js';
import { composedPyConv, composedPyConvBackpropFilter, composedPyConvBackpropInput } from './pyConvKernels.js';
import { kernelConfig } from './registry.js';

const composed = (backend: string): tf.KernelConfig[] => [
  kernelConfig(PY_CONV_2D, backend, composedPyConv),
  kernelConfig(PY_CONV_2D_BACKPROP_INPUT, backend, composedPyConvBackpropInput),
  kernelConfig(PY_CONV_2D_BACKPROP_FILTER, backend, composedPyConvBackpropFilter),
  kernelConfig(BATCH_NORM, backend, composedBatchNorm),
  kernelConfig(BATCH_NORM_GRAD, backend, composedBatchNormGrad),
];

/**
 * Makes every kernel of this package available on `backendName`: those that a backend entry has registered stay, the others
 * are composed of tfjs ops. The gradients are written once, in terms of these kernels.
 *
 * @param backendName Default: tfjs's current backend.
 */
export function ensureKernels(backendName: string = tf.getBackend()): void {
  registerGradients();
  for (const config of composed(backendName)) {
    if (tf.getKernel(config.kernelName, backendName) == null) tf.registerKernel(config);
  }
}
