/** A model as a graph of operations on maps, without anything of the library that built it but its weights. */
import type { ConvOp, MapShape, Pair, TransposedOp, Weight } from '../../engine/types.js';
import type { SidePadding } from '../../spec/index.js';

/**
 * A transposed convolution and the 1x1 convolution that reads its map beside others, without anything nonlinear between: one
 * transposed convolution with the product of their filters, and a 1x1 convolution over the other maps alone.
 */
export interface ComposedOp {
  readonly kind: 'composed';
  readonly transposed: TransposedOp;
  readonly conv: ConvOp;
  /** Channels of the transposed convolution's map, and where they stood among the inputs of the 1x1 convolution. */
  readonly channels: number;
  readonly start: number;
}

export interface NormOp {
  readonly kind: 'norm';
  readonly gamma: Weight | null;
  readonly beta: Weight | null;
  readonly mean: Weight;
  readonly variance: Weight;
  readonly epsilon: number;
  /** In training: the share of the old moving statistics that a step keeps. */
  readonly momentum: number;
  /** In training: which variance of a batch's n pixels the moving one takes in, that divided by n or by n - 1. */
  readonly movingVariance: 'biased' | 'unbiased';
  /** A frozen normalisation keeps to its moving statistics in training. */
  readonly isFrozen: boolean;
}

export type ActivationKind = 'relu' | 'sigmoid' | 'softmax';

export type Op =
  | { readonly kind: 'input' }
  | ConvOp
  | TransposedOp
  | ComposedOp
  | NormOp
  | { readonly kind: 'activation'; readonly activation: ActivationKind }
  /** Maximum; what is padded counts as 0 where `zeros`, else not at all. */
  | {
      readonly kind: 'pool';
      readonly size: Pair;
      readonly strides: Pair;
      readonly padding: SidePadding;
      readonly zeros: boolean;
    }
  | { readonly kind: 'concat' }
  | { readonly kind: 'add' }
  | { readonly kind: 'multiply' }
  /** In training: a product with a mask that the layer of this name draws for each batch. */
  | { readonly kind: 'dropout'; readonly layer: string }
  | { readonly kind: 'enlarge'; readonly method: 'nearest' | 'bilinear'; readonly factors: Pair }
  /** out[y] = in[y + shift], zeros outside: a crop or a padding. */
  | { readonly kind: 'shift'; readonly shift: Pair };

/** One operation and the map that it makes. */
export interface Node {
  readonly id: number;
  readonly name: string;
  readonly op: Op;
  /** The nodes whose maps it reads. */
  readonly inputs: readonly number[];
  readonly shape: MapShape;
}

export interface Graph {
  /** Each behind those that it reads; a node's id is its index. */
  readonly nodes: readonly Node[];
  /** The model's outputs. */
  readonly outputs: readonly number[];
}
