/** The check of every tensor that reaches an op of this package. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';

/** A value as messages describe it. */
export const received = (value: unknown): string =>
  value instanceof tf.Tensor ? `a tensor of ${value.dtype} and shape [${value.shape.join(', ')}]` : String(value);

/** Refuses what is no float32 tensor of one of the ranks. */
export function checkFloats(name: string, tensor: unknown, ranks: readonly number[]): void {
  if (!(tensor instanceof tf.Tensor) || tensor.dtype !== 'float32' || !ranks.includes(tensor.rank)) {
    const legal = [...ranks.slice(0, -2), ranks.slice(-2).join(' or ')].join(', ');
    throw new InvalidArgumentError(`${name} must be a float32 tensor of rank ${legal}. Received: ${received(tensor)}.`);
  }
}
