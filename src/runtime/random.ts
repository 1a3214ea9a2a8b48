/**
 * Seeded randomness from integer arithmetic alone, so that a seed gives the same numbers in every runtime.
 * Seeds are derived by name, never by adding one: neighbouring seeds would give related streams.
 */
import { InvalidArgumentError } from './errors.js';

/** Finaliser of MurmurHash3 (Appleby): every input bit reaches every output bit. */
function mix(hash: number): number {
  let h = hash >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One round of MurmurHash3 on a 32-bit block. */
function absorb(hash: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function absorbNumber(hash: number, value: number): number {
  // The low and the high half of a safe integer: seeds above 2^32 stay distinct.
  return absorb(absorb(hash, value | 0), Math.floor(value / 0x100000000) | 0);
}

function absorbText(hash: number, text: string): number {
  let h = hash;
  for (let i = 0; i < text.length; i++) h = absorb(h, text.charCodeAt(i));
  return absorb(h, text.length);
}

function requireSeed(seed: number): void {
  if (!Number.isSafeInteger(seed)) {
    throw new InvalidArgumentError(`A seed must be an integer (0 is legal). Received: ${seed}. Pass a whole number.`);
  }
}

/**
 * Derives the seed of one use from a run's seed and the names of that use, so that two uses never share a stream.
 *
 * @param seed The run's seed: any safe integer, 0 included.
 * @param keys What the seed is for: names and whole numbers, such as a layer's name and the step.
 * @returns An integer in [1, 2^31 - 1]: never 0, which tfjs reads as 'no seed'.
 * @throws InvalidArgumentError if the seed or a numeric key is not an integer.
 * @example
 * ```ts
 * const layerSeed = deriveSeed(0, 'encoder1/conv', 3);
 * ```
 */
export function deriveSeed(seed: number, ...keys: (string | number)[]): number {
  requireSeed(seed);
  let hash = absorbNumber(0, seed);
  for (const key of keys) {
    if (typeof key === 'string') {
      hash = absorbText(absorb(hash, 1), key);
    } else {
      requireSeed(key);
      hash = absorbNumber(absorb(hash, 2), key);
    }
  }
  const derived = mix(hash) & 0x7fffffff;
  return derived === 0 ? 1 : derived;
}

/**
 * A stream of pseudo-random numbers: sfc32 (Doty-Humphrey, PractRand), 128 bits of state.
 *
 * @example
 * ```ts
 * const order = new Random(7).shuffle([0, 1, 2, 3]);
 * ```
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /**
   * @param seed Any safe integer, 0 included.
   * @throws InvalidArgumentError if the seed is not an integer.
   */
  constructor(seed: number) {
    requireSeed(seed);
    this.a = mix(absorbNumber(0x1, seed));
    this.b = mix(absorbNumber(0x2, seed));
    this.c = mix(absorbNumber(0x3, seed));
    // The first outputs still show the seed's structure.
    for (let i = 0; i < 12; i++) this.uint32();
  }

  private uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** A number in [0, 1) with 32 random bits. */
  next(): number {
    return this.uint32() / 0x100000000;
  }

  /**
   * An integer in [0, n), each equally likely.
   *
   * @param n How many values there are: an integer in [1, 2^32].
   * @throws InvalidArgumentError if n is no such integer.
   */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x100000000) {
      throw new InvalidArgumentError(`integer(n) needs an integer n from 1 to 4294967296. Received: ${n}.`);
    }
    // Values at or above the largest multiple of n are drawn again: a bare remainder favours small results.
    const limit = 0x100000000 - (0x100000000 % n);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % n;
  }

  /** A shuffled copy (Fisher and Yates); the array itself is left alone. */
  shuffle<T>(array: readonly T[]): T[] {
    const copy = array.slice();
    for (let i = copy.length; i > 1; i--) {
      const j = this.integer(i);
      [copy[i - 1], copy[j]] = [copy[j], copy[i - 1]];
    }
    return copy;
  }

  /** A number of the exponential distribution with mean 1 (von Neumann 1951: it needs comparisons only). */
  private exponential(): number {
    for (let whole = 0; ; whole++) {
      const first = this.next();
      let last = first;
      let falling = 1;
      for (let value = this.next(); value < last; value = this.next()) {
        last = value;
        falling++;
      }
      if (falling % 2 === 1) return whole + first;
    }
  }

  /**
   * A number of the standard normal distribution (Kahn 1954, by rejection from the exponential one).
   * No logarithm or cosine: their last bits differ between JavaScript engines.
   */
  normal(): number {
    for (;;) {
      const size = this.exponential();
      const excess = size - 1;
      if (excess * excess <= 2 * this.exponential()) return this.integer(2) === 0 ? size : -size;
    }
  }
}
