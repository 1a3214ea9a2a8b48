/** What the lowering of a convolution knows of it. */
import type { SidePadding } from '../spec/index.js';

/** A weight of a model: it stands for its values, wherever they are kept. */
export interface Weight {
  readonly name: string;
}

/** Values of a weight. */
export type Read = (weight: Weight) => Float32Array;

/** Height, width and channels of a map. */
export interface MapShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A number for rows and one for columns. */
export type Pair = readonly [number, number];

/** One level of a convolution; a dense one has a single level with one group. */
export interface ConvLevel {
  readonly kernelSize: Pair;
  readonly groups: number;
  /** Its slice of the output channels. */
  readonly start: number;
  readonly end: number;
  readonly padding: SidePadding;
  /** [rows, columns, inputs of a group, outputs]. */
  readonly filter: Weight;
}

export interface ConvOp {
  readonly kind: 'conv';
  readonly levels: readonly ConvLevel[];
  readonly bias: Weight | null;
  readonly strides: Pair;
  readonly dilations: Pair;
}

/** out[s y + k - shift] += filter[k] in[y]. */
export interface TransposedOp {
  readonly kind: 'transposed';
  readonly kernelSize: Pair;
  readonly strides: Pair;
  /** Rows and columns of the full result that are left out at its start. */
  readonly shift: Pair;
  /** [rows, columns, outputs, inputs]. */
  readonly filter: Weight;
  readonly bias: Weight | null;
}

/** Which algorithms may be used: 'exact' keeps to direct sums. */
export type Precision = 'fast' | 'exact';
