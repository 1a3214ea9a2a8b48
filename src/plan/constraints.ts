/** The constraints of tf.layers on a weight, applied to its values where they lie. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { UnplannableError } from './graph/readModel.js';

/** Changes values in their place. */
export type Constrain = (values: Float32Array) => void;

/** Keeps norms of 0 apart from a division by 0, as tfjs does for float32. */
const EPSILON = 1e-7;

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** Scales the vectors along an axis to another norm. */
function scaleNorms(shape: readonly number[], axis: number, desired: (norm: number) => number): Constrain {
  const along = axis < 0 ? axis + shape.length : axis;
  const product = (lengths: readonly number[]) => lengths.reduce((size, length) => size * length, 1);
  const length = shape[along] ?? 1;
  const inner = product(shape.slice(along + 1));
  const outer = product(shape.slice(0, along));
  return (values) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const first = o * length * inner + i;
        let sum = 0;
        for (let a = 0; a < length; a++) sum += (values[first + a * inner] ?? 0) ** 2;
        const norm = Math.sqrt(sum);
        const factor = desired(norm) / (EPSILON + norm);
        for (let a = 0; a < length; a++) values[first + a * inner] = (values[first + a * inner] ?? 0) * factor;
      }
    }
  };
}

/**
 * The constraint of a weight.
 *
 * @returns Null for a weight without one.
 * @throws UnplannableError for one that is not tf.layers' own.
 */
export function constraintOf({ constraint, shape, originalName }: tfl.LayerVariable): Constrain | null {
  // The type says that there always is one.
  if ((constraint ?? null) === null) return null;
  const name = constraint.getClassName();
  const config: Readonly<Record<string, unknown>> = constraint.getConfig();
  const number = (key: string): number => {
    const value = config[key];
    if (typeof value === 'number') return value;
    throw new UnplannableError(
      `the constraint ${name} of weight '${originalName}' has ${key}=${JSON.stringify(value)}`,
    );
  };
  const norms = (desired: (norm: number) => number) =>
    scaleNorms(
      shape.map((n) => n ?? 1),
      number('axis'),
      desired,
    );
  switch (name) {
    case 'NonNeg':
      return (values) => {
        for (const [i, value] of values.entries()) if (value < 0) values[i] = 0;
      };
    case 'UnitNorm':
      return norms(() => 1);
    case 'MaxNorm': {
      const most = number('maxValue');
      return norms((norm) => Math.min(norm, most));
    }
    case 'MinMaxNorm': {
      const [least, most, rate] = [number('minValue'), number('maxValue'), number('rate')];
      return norms((norm) => rate * clamp(norm, least, most) + (1 - rate) * norm);
    }
    default:
      throw new UnplannableError(`weight '${originalName}' has the constraint ${name}`);
  }
}
