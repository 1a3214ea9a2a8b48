/** The layers with weights, each in the settings that the layer contract is checked in. */
import * as tfl from '@tensorflow/tfjs-layers';
import { batchNorm, groupConv2d, pyConv2d } from '../../src/layers/index.js';

export interface LayerCase {
  readonly title: string;
  readonly make: (extra?: { name?: string; trainable?: boolean }) => tfl.layers.Layer;
  /** Channels of the input. */
  readonly channels: number;
  /** Weights in order: name within the layer, and shape. */
  readonly weights: readonly (readonly [string, readonly number[]])[];
  /** Of these, how many are trainable. */
  readonly trainable: number;
}

export const CASES: readonly LayerCase[] = [
  {
    title: 'PyConv2D with the defaults of the paper',
    make: (extra) => pyConv2d({ filters: 32, groups: 'auto', ...extra }),
    channels: 16,
    weights: [
      ['level1/kernel', [3, 3, 16, 4]],
      ['level2/kernel', [5, 5, 4, 4]],
      ['level3/kernel', [7, 7, 2, 8]],
      ['level4/kernel', [9, 9, 1, 16]],
      ['bias', [32]],
    ],
    trainable: 5,
  },
  {
    title: 'PyConv2D with everything stated',
    make: (extra) =>
      pyConv2d({
        filters: [2, 6],
        kernelSizes: [1, 5],
        groups: [1, 2],
        strides: [2, 1],
        padding: [0, 2],
        dilationRate: 1,
        useBias: false,
        activation: 'softplus',
        kernelInitializer: 'heNormal',
        kernelRegularizer: tfl.regularizers.l1l2({ l1: 0.01, l2: 0.02 }),
        kernelConstraint: tfl.constraints.maxNorm({ maxValue: 3, axis: 0 }),
        ...extra,
      }),
    channels: 4,
    weights: [
      ['level1/kernel', [1, 1, 4, 2]],
      ['level2/kernel', [5, 5, 2, 6]],
    ],
    trainable: 2,
  },
  {
    title: 'PyConv2D, dilated, with a fused activation',
    make: (extra) =>
      pyConv2d({
        filters: 8,
        kernelSizes: [3, 5],
        split: [1 / 4, 3 / 4],
        groups: [2, 1],
        dilationRate: [1, 2],
        activation: 'elu',
        biasInitializer: tfl.initializers.randomNormal({ stddev: 0.3, seed: 3 }),
        biasRegularizer: 'l1l2',
        biasConstraint: 'nonNeg',
        ...extra,
      }),
    channels: 4,
    weights: [
      ['level1/kernel', [3, 3, 2, 2]],
      ['level2/kernel', [5, 5, 4, 6]],
      ['bias', [8]],
    ],
    trainable: 3,
  },
  {
    title: 'GroupConv2D',
    make: (extra) =>
      groupConv2d({ filters: 6, kernelSize: 3, groups: 2, padding: 'valid', activation: 'relu6', ...extra }),
    channels: 4,
    weights: [
      ['kernel', [3, 3, 2, 6]],
      ['bias', [6]],
    ],
    trainable: 2,
  },
  {
    title: 'GroupConv2D, depthwise',
    make: (extra) =>
      groupConv2d({
        filters: 8,
        kernelSize: 5,
        groups: 4,
        strides: 2,
        padding: 2,
        useBias: false,
        activation: 'hardSigmoid',
        ...extra,
      }),
    channels: 4,
    weights: [['kernel', [5, 5, 1, 8]]],
    trainable: 1,
  },
  {
    title: 'BatchNorm',
    make: (extra) => batchNorm({ ...extra }),
    channels: 3,
    weights: [
      ['gamma', [3]],
      ['beta', [3]],
      ['moving_mean', [3]],
      ['moving_variance', [3]],
    ],
    trainable: 2,
  },
  {
    title: 'BatchNorm with ReLU, without factor',
    make: (extra) => batchNorm({ scale: false, activation: 'relu', epsilon: 1e-3, momentum: 0.5, ...extra }),
    channels: 3,
    weights: [
      ['beta', [3]],
      ['moving_mean', [3]],
      ['moving_variance', [3]],
    ],
    trainable: 1,
  },
];

/** A model of one layer for images of any size. */
export function modelOf(layer: tfl.layers.Layer, channels: number): tfl.LayersModel {
  const input = tfl.input({ shape: [null, null, channels] });
  return tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
}
