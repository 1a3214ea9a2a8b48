/** Weights and inputs by a formula of (name, index), the same as in test/oracles/networks.py. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { PyConv2D } from '../../src/layers/index.js';

/** Fills an array with offset + scale * u, u uniform in [-1, 1) from a hash of (name, index). */
function fillUniform<T extends Float32Array | Float64Array>(values: T, name: string, scale = 1, offset = 0): T {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619);
  for (let i = 0; i < values.length; i++) {
    let h = Math.imul(i, 0x9e3779b1) ^ seed;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    values[i] = offset + scale * (((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1);
  }
  return values;
}

/** Uniform numbers in [-1, 1) from a hash of (name, index). */
export function uniform(name: string, count: number): Float64Array {
  return fillUniform(new Float64Array(count), name);
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

function weightValues(name: string, shape: readonly number[]): Float32Array {
  const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
  const part = name.slice(name.lastIndexOf('/') + 1);
  const fanIn = values.length / (shape[shape.length - 1] ?? 1);
  if (part === 'kernel') return fillUniform(values, name, Math.sqrt(6 / fanIn));
  if (part === 'gamma') return fillUniform(values, name, 0.2, 1);
  if (part === 'moving_variance') return fillUniform(values, name, 0.5, 1);
  return fillUniform(values, name, 0.2);
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
