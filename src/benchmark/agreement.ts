/** Whether contenders compute the same: a time counts for nothing where the result is wrong. */
import type { Work } from './contender.js';

/** The values that one contender computed. */
export interface Output {
  /** Contenders of one implementation share their mistakes, and do not confirm each other. */
  readonly implementation: string;
  readonly values: Float32Array;
}

/** What the others say of one output. */
export interface Verdict {
  /** Difference from the nearest of the other implementations; null where there is none. */
  readonly difference: number | null;
  /** At least half of the other implementations computed the same. */
  readonly isConfirmed: boolean;
}

/**
 * Most difference between two right outputs, by the scales below. Inference: ten times what rounding makes. Training: of the losses of three
 * steps; Adam divides small gradients by their own size, and so makes 1e-3 of the rounding, while the steps lower the loss by 0.03 to 0.3.
 */
export const TOLERANCE = { inference: 1e-3, training: 3e-3 } as const;

/** Values closer than a millionth are the same, however little an untrained network's output varies. */
const LEAST_RANGE = 1e-3;

function rangeOf(values: Float32Array): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return Math.max(high - low, LEAST_RANGE);
}

/**
 * The largest difference between two outputs: of maps as a share of the range of their values, as an untrained network's probabilities
 * all lie close to each other; of losses as it is.
 *
 * @returns Infinity where a value is not finite or the numbers of values differ.
 */
export function differenceBetween(a: Float32Array, b: Float32Array, work: Work): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
    if (!Number.isFinite(difference)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, difference);
  }
  return work === 'training' ? largest : largest / Math.max(rangeOf(a), rangeOf(b));
}

/** Compares each output with those of the other implementations. */
export function compareOutputs(outputs: readonly Output[], work: Work): Verdict[] {
  return outputs.map(({ implementation, values }) => {
    const nearest = new Map<string, number>();
    for (const other of outputs) {
      if (other.implementation === implementation) continue;
      const difference = differenceBetween(values, other.values, work);
      nearest.set(other.implementation, Math.min(difference, nearest.get(other.implementation) ?? difference));
    }
    const differences = [...nearest.values()];
    if (differences.length === 0) return { difference: null, isConfirmed: true };
    const agreeing = differences.filter((difference) => difference <= TOLERANCE[work]);
    return { difference: Math.min(...differences), isConfirmed: 2 * agreeing.length >= differences.length };
  });
}
