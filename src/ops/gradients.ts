/** The gradients of our kernels, registered once for all backends in terms of the backprop kernels. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import { activationGradient } from './activationGradient.js';
import {
  BATCH_NORM,
  BATCH_NORM_GRAD,
  type BatchNormAttrs,
  PY_CONV_2D,
  PY_CONV_2D_BACKPROP_FILTER,
  PY_CONV_2D_BACKPROP_INPUT,
  type PyConvAttrs,
  type PyConvFilterAttrs,
} from './kernelNames.js';
import { type ArrayGradient, registerArrayGradient, runKernel } from './registry.js';

function first(tensors: readonly tf.Tensor[]): tf.Tensor {
  const [tensor] = tensors;
  if (tensor === undefined) throw new Error('A kernel of pyconvunet returned no tensor.');
  return tensor;
}

const pyConvGradient: ArrayGradient<PyConvAttrs> = ([dy], saved, { spec }) => {
  const levels = spec.levels.length;
  const [x, ...rest] = saved;
  // saved = x, filters, bias?, y
  const filters = rest.slice(0, levels);
  const hasBias = rest.length === levels + 2;
  const y = rest[rest.length - 1];
  if (dy === undefined || x === undefined || y === undefined)
    throw new Error('PyConv2D saved no tensors for its gradient.');
  const dyLinear = activationGradient(dy, y, spec.activation);
  return [
    () => first(runKernel<PyConvAttrs>(PY_CONV_2D_BACKPROP_INPUT, [dyLinear, ...filters], { spec })),
    ...filters.map(
      (_, level) => () =>
        first(runKernel<PyConvFilterAttrs>(PY_CONV_2D_BACKPROP_FILTER, [x, dyLinear], { spec, level })),
    ),
    ...(hasBias ? [() => tf.sum(dyLinear, [0, 1, 2])] : []),
  ];
};

const batchNormGradient: ArrayGradient<BatchNormAttrs> = ([dy], saved, attrs) => {
  const [x, ...rest] = saved;
  // saved = x, gamma?, beta?, y, mean, variance
  const gamma = attrs.scale ? rest[0] : undefined;
  const [y, mean, variance] = rest.slice(-3);
  if (dy === undefined || x === undefined || y === undefined || mean === undefined || variance === undefined) {
    throw new Error('BatchNorm saved no tensors for its gradient.');
  }
  const inputs = [dy, x, y, mean, variance, ...(gamma === undefined ? [] : [gamma])];
  const [dx, dgamma, dbeta] = runKernel<BatchNormAttrs>(BATCH_NORM_GRAD, inputs, attrs);
  if (dx === undefined || dgamma === undefined || dbeta === undefined)
    throw new Error('BatchNormGrad returned fewer than three tensors.');
  return [() => dx, ...(attrs.scale ? [() => dgamma] : []), ...(attrs.center ? [() => dbeta] : [])];
};

/** A second derivative would have to differentiate a backprop kernel: tell, rather than let tfjs complain of a missing gradient. */
const firstOrderOnly = (kernelName: string) => (): never => {
  throw new InvalidArgumentError(
    `pyconvunet's convolutions and batch normalisation have first derivatives only. Received: a request for the derivative of ${kernelName}. Use tf.grad and tf.variableGrads once, not nested.`,
  );
};

/** Registers the gradients if they are not there yet. */
export function registerGradients(): void {
  if (tf.getGradient(PY_CONV_2D) != null) return;
  registerArrayGradient(PY_CONV_2D, [true], pyConvGradient);
  registerArrayGradient(BATCH_NORM, [true, true, true], batchNormGradient);
  for (const name of [PY_CONV_2D_BACKPROP_INPUT, PY_CONV_2D_BACKPROP_FILTER, BATCH_NORM_GRAD]) {
    tf.registerGradient({ kernelName: name, gradFunc: firstOrderOnly(name) });
  }
}
