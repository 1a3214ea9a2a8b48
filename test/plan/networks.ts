/** Small networks that exist twice: as a tf.layers model for the plan, and as float64 loops over the same weights. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { layers } from '../../src/index.js';
import { type ImageShape, InferencePlan, readWeights } from '../../src/plan/index.js';
import { findProvider } from '../../src/runtime/providers.js';
import {
  along,
  bilinear,
  blank,
  combined,
  convolve,
  framed,
  type Image,
  joined,
  maxPool,
  type Pair,
  pointwise,
  repeated,
  softmax,
  transposed,
} from './reference.js';

/** A layer with its definition. */
export interface Operation {
  /** How a counterexample is printed. */
  [fc.toStringMethod]?: () => string;
  make(): tfl.layers.Layer;
  /** `weights` in the order of the layer's own. */
  compute(inputs: readonly Image[], weights: readonly Float32Array[]): Image;
}

const named = (title: string, options: unknown, operation: Operation): Operation => ({
  ...operation,
  [fc.toStringMethod]: () => `${title}(${JSON.stringify(options)})`,
});

/** A map of a network: the image itself, or what an operation makes of other maps. */
export type Expression = 'image' | { readonly operation: Operation; readonly inputs: readonly Expression[] };

/** Operations one behind the other, from the image or another map. */
export const chain = (operations: readonly Operation[], from: Expression = 'image'): Expression =>
  operations.reduce<Expression>((input, operation) => ({ operation, inputs: [input] }), from);

/** Several maps as inputs of one operation. */
export const join = (operation: Operation, ...inputs: Expression[]): Expression => ({ operation, inputs });

const relu = (v: number): number => Math.max(v, 0);

type Activation = 'linear' | 'relu' | 'sigmoid' | 'softmax';

function activated(x: Image, activation: Activation): Image {
  if (activation === 'relu') return pointwise(x, relu);
  if (activation === 'sigmoid') return pointwise(x, (v) => 1 / (1 + Math.exp(-v)));
  return activation === 'softmax' ? softmax(x) : x;
}

function finished(x: Image, bias: Float32Array | undefined, activation: Activation): Image {
  return activated(bias === undefined ? x : pointwise(x, (v, c) => v + (bias[c] ?? 0)), activation);
}

const only = (inputs: readonly Image[]): Image => inputs[0] ?? blank(0, 0, 0);
const NONE = new Float32Array(0);

/** What convolutions share. */
interface ConvolutionOptions {
  readonly strides?: Pair;
  readonly useBias?: boolean;
  readonly activation?: Activation;
}

export interface DenseOptions extends ConvolutionOptions {
  readonly kernelSize: Pair;
  readonly filters: number;
  readonly dilations?: Pair;
  readonly padding?: 'same' | 'valid';
}

/** tf.layers' conv2d. */
export function conv2d(options: DenseOptions): Operation {
  const { kernelSize, filters, strides = [1, 1], dilations = [1, 1], padding = 'same' } = options;
  const { useBias = true, activation = 'linear' } = options;
  return named('conv2d', options, {
    make: () =>
      tfl.layers.conv2d({
        kernelSize: [...kernelSize],
        filters,
        strides: [...strides],
        dilationRate: [...dilations],
        padding,
        useBias,
        activation,
      }),
    compute(inputs, [filter = NONE, bias]) {
      const x = only(inputs);
      const axes = ([0, 1] as const).map((axis) =>
        along(axis === 0 ? x.height : x.width, kernelSize[axis], {
          stride: strides[axis],
          dilation: dilations[axis],
          padding,
        }),
      );
      const [rows, columns] = axes;
      const y = convolve(x, filter, {
        kernel: kernelSize,
        groups: 1,
        filters,
        before: [rows?.before ?? 0, columns?.before ?? 0],
        output: [rows?.length ?? 0, columns?.length ?? 0],
        strides,
        dilations,
      });
      return finished(y, bias, activation);
    },
  });
}

export interface Level {
  readonly kernelSize: number;
  readonly groups: number;
  readonly filters: number;
}

export interface PyConvOptions extends ConvolutionOptions {
  readonly levels: readonly Level[];
  readonly dilations?: Pair;
  readonly padding?: 'same' | 'valid' | readonly number[];
}

/** The package's pyramidal convolution. */
export function pyConv2d(options: PyConvOptions): Operation {
  const { levels, strides = [1, 1], dilations = [1, 1], padding = 'same' } = options;
  const { useBias = true, activation = 'linear' } = options;
  return named('pyConv2d', options, {
    make: () =>
      layers.pyConv2d({
        filters: levels.map((level) => level.filters),
        kernelSizes: levels.map((level) => level.kernelSize),
        groups: levels.map((level) => level.groups),
        strides,
        padding,
        dilationRate: dilations,
        useBias,
        activation,
      }),
    compute(inputs, weights) {
      const x = only(inputs);
      const parts = levels.map(({ kernelSize, groups, filters }, i) => {
        const amount = typeof padding === 'string' ? padding : (padding[i] ?? 0);
        const rows = along(x.height, kernelSize, { stride: strides[0], dilation: dilations[0], padding: amount });
        const columns = along(x.width, kernelSize, { stride: strides[1], dilation: dilations[1], padding: amount });
        return convolve(x, weights[i] ?? NONE, {
          kernel: [kernelSize, kernelSize],
          groups,
          filters,
          before: [rows.before, columns.before],
          output: [rows.length, columns.length],
          strides,
          dilations,
        });
      });
      return finished(joined(parts), weights[levels.length], activation);
    },
  });
}

export interface TransposedOptions extends ConvolutionOptions {
  readonly kernelSize: Pair;
  readonly filters: number;
  readonly padding?: 'same' | 'valid';
}

/** tf.layers' conv2dTranspose. */
export function conv2dTranspose(options: TransposedOptions): Operation {
  const { kernelSize, filters, strides = [1, 1], padding = 'valid', useBias = true, activation = 'linear' } = options;
  return named('conv2dTranspose', options, {
    make: () =>
      tfl.layers.conv2dTranspose({
        kernelSize: [...kernelSize],
        filters,
        strides: [...strides],
        padding,
        useBias,
        activation,
      }),
    compute: (inputs, [filter = NONE, bias]) =>
      finished(transposed(only(inputs), filter, { kernel: kernelSize, strides, filters, padding }), bias, activation),
  });
}

/** Normalisation by moving statistics: tf.layers' own, or the package's with its activation. */
export function norm(kind: 'tfjs' | 'package', activation: Activation = 'linear'): Operation {
  const epsilon = 1e-3;
  return named('norm', [kind, activation], {
    make: () =>
      kind === 'tfjs'
        ? tfl.layers.batchNormalization({ axis: -1, epsilon })
        : layers.batchNorm({ epsilon, activation: activation === 'relu' ? 'relu' : 'linear' }),
    compute(inputs, [gamma = NONE, beta = NONE, mean = NONE, variance = NONE]) {
      const y = pointwise(
        only(inputs),
        (v, c) => ((v - (mean[c] ?? 0)) / Math.sqrt((variance[c] ?? 0) + epsilon)) * (gamma[c] ?? 0) + (beta[c] ?? 0),
      );
      return kind === 'tfjs' ? y : activated(y, activation);
    },
  });
}

/** An activation as a layer of its own. */
export const activation = (kind: Activation): Operation =>
  named('activation', kind, {
    make: () => (kind === 'relu' ? tfl.layers.reLU() : tfl.layers.activation({ activation: kind })),
    compute: (inputs) => activated(only(inputs), kind),
  });

export const pool = (size: Pair, strides: Pair, padding: 'same' | 'valid'): Operation =>
  named('pool', [size, strides, padding], {
    make: () => tfl.layers.maxPooling2d({ poolSize: [...size], strides: [...strides], padding }),
    compute: (inputs) => maxPool(only(inputs), { size, strides, padding }),
  });

type Sides = readonly [Pair, Pair];
const sidesOf = ([rows, columns]: Sides): [[number, number], [number, number]] => [
  [rows[0], rows[1]],
  [columns[0], columns[1]],
];

export const zeroPadding = (sides: Sides): Operation =>
  named('zeroPadding', sides, {
    make: () => tfl.layers.zeroPadding2d({ padding: sidesOf(sides) }),
    compute: (inputs) => framed(only(inputs), sides),
  });

/** A crop by tf.layers or by the package. */
export const crop = (kind: 'tfjs' | 'package', sides: Sides): Operation =>
  named('crop', [kind, sides], {
    make: () =>
      kind === 'tfjs' ? tfl.layers.cropping2D({ cropping: sidesOf(sides) }) : layers.crop({ cropping: sidesOf(sides) }),
    compute: (inputs) => {
      const [[top, bottom], [left, right]] = sides;
      return framed(only(inputs), [
        [-top, -bottom],
        [-left, -right],
      ]);
    },
  });

/** Pixels repeated: by tf.layers with a factor each for rows and columns. */
export const upSampling = (factors: Pair): Operation =>
  named('upSampling', factors, {
    make: () => tfl.layers.upSampling2d({ size: [...factors] }),
    compute: (inputs) => repeated(only(inputs), factors),
  });

/** Pixels repeated, by the package. */
export const nearest = (factor: number): Operation =>
  named('nearest', factor, {
    make: () => layers.nearestUpsampling({ size: factor }),
    compute: (inputs) => repeated(only(inputs), [factor, factor]),
  });

export const bilinearUpsampling = (factor: number): Operation =>
  named('bilinearUpsampling', factor, {
    make: () => layers.bilinearUpsampling({ size: factor }),
    compute: (inputs) => bilinear(only(inputs), factor),
  });

export const concatenate: Operation = {
  make: () => tfl.layers.concatenate(),
  compute: joined,
};
export const add: Operation = {
  make: () => tfl.layers.add(),
  compute: (inputs) => combined(inputs, (a, b) => a + b),
};
export const multiply: Operation = {
  make: () => tfl.layers.multiply(),
  compute: (inputs) => combined(inputs, (a, b) => a * b),
};

/** Numbers in [-1, 1), the same for the same seed. */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Numbers of a weight: sums of about unit size, positive variances, statistics that are not trivial. */
function weightValues(variable: tfl.LayerVariable, next: () => number): Float32Array {
  const { shape, name } = variable;
  const size = shape.reduce<number>((product, d) => product * (d ?? 1), 1);
  const [a = 1, b = 1, c = 1] = shape.map((d) => d ?? 1);
  const scale = shape.length === 4 ? Math.sqrt(3 / (a * b * c)) : 1;
  const isVariance = /variance/i.test(name);
  return Float32Array.from({ length: size }, () => (isVariance ? 1 + next() / 2 : scale * next()));
}

/** A network in both forms. */
export interface Network {
  readonly model: tfl.LayersModel;
  reference(image: Image): Image[];
  dispose(): void;
}

/**
 * Builds a network with random weights.
 *
 * @param input [height, width, channels] with null for free lengths.
 */
export function network(
  outputs: readonly Expression[],
  input: readonly [number | null, number | null, number],
  seed = 1,
): Network {
  const image = tfl.input({ shape: [...input] });
  const made = new Map<Expression, tfl.SymbolicTensor>([['image', image]]);
  const layerOf = new Map<Expression, tfl.layers.Layer>();
  const symbolic = (expression: Expression): tfl.SymbolicTensor => {
    const known = made.get(expression);
    if (known !== undefined) return known;
    if (expression === 'image') return image;
    const layer = expression.operation.make();
    const inputs = expression.inputs.map(symbolic);
    const [first] = inputs;
    const result = layer.apply(inputs.length === 1 && first !== undefined ? first : inputs);
    if (!(result instanceof tfl.SymbolicTensor)) throw new Error(`Layer ${layer.name} has several outputs.`);
    made.set(expression, result);
    layerOf.set(expression, layer);
    return result;
  };
  const model = tfl.model({ inputs: image, outputs: outputs.map(symbolic) });
  const next = uniform(seed);
  const values = new Map<tfl.layers.Layer, Float32Array[]>();
  for (const layer of layerOf.values()) {
    const own = layer.weights.map((weight) => weightValues(weight, next));
    values.set(layer, own);
    const tensors = layer.weights.map((weight, i) =>
      tf.tensor(
        own[i] ?? NONE,
        weight.shape.map((d) => d ?? 1),
      ),
    );
    if (tensors.length > 0) layer.setWeights(tensors);
    tf.dispose(tensors);
  }
  return {
    model,
    reference(x) {
      const known = new Map<Expression, Image>([['image', x]]);
      const valueFor = (expression: Expression): Image => {
        const value = known.get(expression);
        if (value !== undefined) return value;
        if (expression === 'image') return x;
        const layer = layerOf.get(expression);
        const weights = (layer && values.get(layer)) ?? [];
        const result = expression.operation.compute(expression.inputs.map(valueFor), weights);
        known.set(expression, result);
        return result;
      };
      return outputs.map(valueFor);
    },
    dispose: () => {
      model.dispose();
    },
  };
}

/** An image of numbers in [-1, 1) that float32 holds exactly. */
export function randomImage([height, width, channels]: ImageShape, seed: number): Image {
  const next = uniform(seed ^ 0x5bd1e995);
  const image = blank(height, width, channels);
  return { ...image, data: image.data.map(() => Math.fround(next())) };
}

export type Precision = 'fast' | 'exact';

/** The plan of a network's model. */
export async function planOf({ model }: Network, precision: Precision): Promise<InferencePlan> {
  const kernels = findProvider('wasm')?.kernels;
  if (kernels === undefined) throw new Error('The provider of backend wasm is not registered.');
  return new InferencePlan(model, await readWeights(model), kernels, { precision });
}

/** What a plan makes of an image. */
export function runPlan(plan: InferencePlan, { height, width, channels, data }: Image): Image[] {
  return plan.run(Float32Array.from(data), [height, width, channels]).map((output) => ({
    height: output.shape[0],
    width: output.shape[1],
    channels: output.shape[2],
    data: Float64Array.from(output.data),
  }));
}

/** Weights give sums of about 0.6: an output that is smaller everywhere is a cancellation, or hardly anything is above ReLU's 0. */
const LEAST_MAGNITUDE = 0.25;

/** Largest difference relative to the largest magnitude, over some of the channels; infinite where one is not a number. */
export function relativeError(actual: Image, expected: Image, first = 0, end = expected.channels): number {
  const sizes = ({ height, width, channels }: Image) => `${height} x ${width} x ${channels}`;
  if (sizes(actual) !== sizes(expected)) throw new Error(`Received ${sizes(actual)}, expected ${sizes(expected)}.`);
  let difference = 0;
  let magnitude = LEAST_MAGNITUDE;
  for (const [i, value] of expected.data.entries()) {
    const c = i % expected.channels;
    if (c < first || c >= end) continue;
    const d = Math.abs((actual.data[i] ?? Number.NaN) - value);
    if (!(d <= difference)) difference = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
    magnitude = Math.max(magnitude, Math.abs(value));
  }
  return difference / magnitude;
}
