/** What a backend can do, read from tfjs's kernel registry: nothing is promised that is not registered. */
import * as tf from '@tensorflow/tfjs-core';

/** The tfjs kernels that the networks of this package run in inference; a test holds both lists to what they run. */
export const FORWARD_KERNELS = [
  'Add',
  'Concat',
  'Conv2D',
  'Conv2DBackpropInput',
  'FusedBatchNorm',
  'FusedConv2D',
  'Identity',
  'MaxPool',
  'Multiply',
  'PadV2',
  'Relu',
  'Reshape',
  'ResizeBilinear',
  'ResizeNearestNeighbor',
  'Sigmoid',
  'Slice',
  'Softmax',
] as const;

/** The kernels that training with any of the losses runs besides. */
export const TRAINING_KERNELS = [
  'AddN',
  'AvgPool',
  'Cast',
  'ClipByValue',
  'Conv2DBackpropFilter',
  'Cumsum',
  'Equal',
  'Exp',
  'GatherV2',
  'Greater',
  'GreaterEqual',
  'LessEqual',
  'Log',
  'LogicalAnd',
  'Max',
  'MaxPoolGrad',
  'Maximum',
  'Mean',
  'Neg',
  'OneHot',
  'OnesLike',
  'Range',
  'RealDiv',
  'Reciprocal',
  'ResizeBilinearGrad',
  'Reverse',
  'Rsqrt',
  'ScatterNd',
  'Select',
  'Softplus',
  'SplitV',
  'Sqrt',
  'Square',
  'Step',
  'Sub',
  'Sum',
  'TopK',
  'Transpose',
  'ZerosLike',
] as const;

/** What one backend can do with the networks of this package. */
export interface Capabilities {
  /** Every kernel of inference is registered. */
  readonly forward: boolean;
  /** Every kernel of training is registered too. */
  readonly training: boolean;
  /** The kernels that are not, by their tfjs names. */
  readonly missing: readonly string[];
}

function missingOf(backendName: string, kernels: readonly string[]): string[] {
  return kernels.filter((kernel) => tf.getKernel(kernel, backendName) === undefined);
}

/**
 * Reads what a backend can do from the kernels registered for it; the backend need not be started.
 *
 * @param backendName tfjs's name of the backend, such as 'wasm'.
 */
export function capabilitiesOf(backendName: string): Capabilities {
  const forward = missingOf(backendName, FORWARD_KERNELS);
  const training = missingOf(backendName, TRAINING_KERNELS);
  return {
    forward: forward.length === 0,
    training: forward.length === 0 && training.length === 0,
    missing: [...forward, ...training],
  };
}
