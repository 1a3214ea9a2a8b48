/** BatchNorm and BatchNormGrad on wasm: loops over the heap, two passes over the map each, statistics in double. */
import type * as tf from '@tensorflow/tfjs-core';
import { BATCH_NORM, BATCH_NORM_GRAD, type BatchNormAttrs } from '../../ops/index.js';
import { type BatchNormLayout, channelStatistics, gradientSums, inputGradient, scaleShift } from './batchNormLoops.js';
import { makeOutputs, moveHere, valuesOf } from './heap.js';
import { registerWasmKernel, type WasmKernelArguments } from './register.js';

type Arguments = WasmKernelArguments<tf.NamedTensorInfoMap, BatchNormAttrs>;

/** The ops hand their inputs over as an array, which the engine passes on as a map by index. */
function listOf(inputs: tf.NamedTensorInfoMap): tf.TensorInfo[] {
  return Object.values(inputs).filter((tensor) => tensor !== undefined);
}

function layoutOf(x: tf.TensorInfo): BatchNormLayout {
  const channels = x.shape[x.shape.length - 1];
  return { rows: x.shape.slice(0, -1).reduce((product, size) => product * size, 1), channels };
}

function batchNorm({ inputs, attrs, backend }: Arguments): tf.TensorInfo[] {
  const { epsilon, activation, scale, center } = attrs;
  const tensors = listOf(inputs);
  const layout = layoutOf(tensors[0]);
  const { channels } = layout;
  moveHere(backend, tensors);
  const outputs = makeOutputs(backend, [tensors[0].shape, [channels], [channels]]);
  const [x, ...parameters] = valuesOf(backend, tensors);
  const [y, meanOut, varianceOut] = valuesOf(backend, outputs);
  const gamma = scale ? parameters[0] : undefined;
  const beta = center ? parameters[scale ? 1 : 0] : undefined;
  const { mean, variance } = channelStatistics(x, layout);
  const factor = variance.map((value, c) => (gamma?.[c] ?? 1) / Math.sqrt(value + epsilon));
  const offset = mean.map((value, c) => (beta?.[c] ?? 0) - value * factor[c]);
  scaleShift(x, y, layout, { factor, offset, relu: activation === 'relu' });
  meanOut.set(mean);
  varianceOut.set(variance);
  return outputs;
}

function batchNormGrad({ inputs, attrs, backend }: Arguments): tf.TensorInfo[] {
  const { epsilon, activation, scale } = attrs;
  const tensors = listOf(inputs);
  const layout = layoutOf(tensors[1]);
  const { rows, channels } = layout;
  moveHere(backend, tensors);
  const outputs = makeOutputs(backend, [tensors[1].shape, [channels], [channels]]);
  const [dy, x, y, mean, variance, parameter] = valuesOf(backend, tensors);
  const [dx, dgamma, dbeta] = valuesOf(backend, outputs);
  const gamma = scale ? parameter : undefined;
  // dx holds the gradient behind the ReLU first: no map beside the result is needed.
  const relu = activation === 'relu';
  const g = relu ? dx : dy;
  const { sum, centred } = gradientSums(g, x, layout, mean, relu ? { dy, y } : undefined);
  const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
  // dx = gamma * inverse * (g - mean(g) - (x - mean) * inverse^2 * mean(g * (x - mean))), sorted by g and x.
  const ofG = inverse.map((value, c) => (gamma?.[c] ?? 1) * value);
  const ofX = inverse.map((value, c) => (-ofG[c] * value * value * centred[c]) / rows);
  const offset = sum.map((value, c) => (-ofG[c] * value) / rows - ofX[c] * mean[c]);
  inputGradient(g, x, dx, layout, { ofG, ofX, offset });
  dgamma.set(centred.map((value, c) => value * inverse[c]));
  dbeta.set(sum);
  return outputs;
}

/** Registers BatchNorm and BatchNormGrad in place of the composed ones. */
export function registerBatchNorm(): void {
  registerWasmKernel(BATCH_NORM, batchNorm);
  registerWasmKernel(BATCH_NORM_GRAD, batchNormGrad);
}
