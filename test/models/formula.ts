/** Weights and inputs by a formula of (name, index), the same as in test/oracles/networks.py. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { PyConv2D } from '../../src/layers/index.js';

/** Uniform numbers in [-1, 1) from a hash of (name, index). */
export function uniform(name: string, count: number): Float64Array {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let h = Math.imul(i, 0x9e3779b1) ^ seed;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    values[i] = ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
  }
  return values;
}

/** Euclidean norm, and the product with a formula vector. */
export function digest(name: string, values: ArrayLike<number>): [norm: number, product: number] {
  const vector = uniform(`digest/${name}`, values.length);
  let squares = 0;
  let product = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    squares += value * value;
    product += value * (vector[i] ?? Number.NaN);
  }
  return [Math.sqrt(squares), product];
}

/** Every weight of a model under the name that the Python script uses. */
export function namedWeights(model: tfl.LayersModel): { name: string; weight: tfl.LayerVariable }[] {
  return model.layers.flatMap((layer) => {
    let level = 0;
    return layer.weights.map((weight) => {
      const part = weight.originalName.slice(weight.originalName.lastIndexOf('/') + 1);
      // Levels are numbered here, whatever the layer calls them.
      const scope = layer instanceof PyConv2D && part === 'kernel' ? `${layer.name}/level${++level}` : layer.name;
      return { name: `${scope}/${part}`, weight };
    });
  });
}

function weightValues(name: string, shape: readonly (number | null)[]): Float32Array {
  const size = shape.reduce<number>((product, length) => product * (length ?? 0), 1);
  const last = shape[shape.length - 1] ?? 1;
  const part = name.slice(name.lastIndexOf('/') + 1);
  const u = uniform(name, size);
  const gain = Math.sqrt(6 / (size / last));
  if (part === 'kernel') return Float32Array.from(u, (value) => value * gain);
  if (part === 'gamma') return Float32Array.from(u, (value) => 1 + 0.2 * value);
  if (part === 'moving_variance') return Float32Array.from(u, (value) => 1 + 0.5 * value);
  return Float32Array.from(u, (value) => 0.2 * value);
}

/** Gives every weight of a model the formula's values. */
export function fill(model: tfl.LayersModel): void {
  for (const { name, weight } of namedWeights(model)) {
    const shape = weight.shape.map((length) => length ?? 0);
    tf.tidy(() => {
      weight.write(tf.tensor(weightValues(name, shape), shape));
    });
  }
}

/** The formula's image for a shape. */
export function inputImage(shape: [number, number, number, number]): tf.Tensor4D {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor4d(Float32Array.from(uniform('input', size)), shape);
}
