import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { deriveSeed, Random } from '../../src/runtime/random.js';

const oracle: { derived: [[number, ...(string | number)[]], number][]; draws: [number, number[]][] } = JSON.parse(
  readFileSync(new URL('../oracles/seeds.json', import.meta.url), 'utf8'),
);

describe('deriveSeed', () => {
  it('equals the same arithmetic in Python, so it never changes unseen', () => {
    for (const [[seed, ...keys], expected] of oracle.derived) expect(deriveSeed(seed, ...keys)).toBe(expected);
  });

  it('is never 0 and tells names, numbers and orders apart', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.array(fc.oneof(fc.string(), fc.maxSafeInteger())), (seed, keys) => {
        const derived = deriveSeed(seed, ...keys);
        expect(Number.isInteger(derived) && derived >= 1 && derived <= 0x7fffffff).toBe(true);
      }),
      { seed: 1 },
    );
    const seeds = new Set<number>();
    for (let seed = 0; seed < 100; seed++)
      for (let step = 0; step < 100; step++) seeds.add(deriveSeed(seed, 'dropout', step));
    // Of 10,000 draws from 2^31 about 0.02 pairs are equal.
    expect(seeds.size).toBeGreaterThan(9_997);
    expect(deriveSeed(0, 'ab', 'c')).not.toBe(deriveSeed(0, 'a', 'bc'));
  });

  it('refuses what is no integer', () => {
    expect(() => deriveSeed(0.5)).toThrow(
      new InvalidArgumentError('A seed must be an integer (0 is legal). Received: 0.5. Pass a whole number.'),
    );
    expect(() => deriveSeed(1, Number.NaN)).toThrow('Received: NaN.');
    expect(() => new Random(Number.POSITIVE_INFINITY)).toThrow('Received: Infinity.');
  });
});

describe('Random', () => {
  it('equals sfc32 in Python', () => {
    for (const [seed, last] of oracle.draws) {
      const random = new Random(seed);
      const drawn = Array.from({ length: 1000 }, () => random.next() * 2 ** 32);
      expect(drawn.slice(-last.length)).toEqual(last);
    }
  });

  it('draws integers evenly', () => {
    const random = new Random(5);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    // 6 degrees of freedom: 22.5 is exceeded once in a thousand seeds.
    expect(chiSquare).toBeLessThan(22.5);
    expect(random.integer(1)).toBe(0);
    expect(() => random.integer(0)).toThrow(
      new InvalidArgumentError('integer(n) needs an integer n from 1 to 4294967296. Received: 0.'),
    );
  });

  it('shuffles a copy, every order about equally often', () => {
    const random = new Random(6);
    const original = ['a', 'b', 'c', 'd'];
    const orders = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.shuffle(original).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(original).toEqual(['a', 'b', 'c', 'd']);
    expect(orders.size).toBe(24);
    const chiSquare = [...orders.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 23 degrees of freedom: 49.7 is exceeded once in a thousand seeds.
    expect(chiSquare).toBeLessThan(49.7);
  });

  it('draws normal numbers', () => {
    const random = new Random(7);
    const n = 100_000;
    const draws = Array.from({ length: n }, () => random.normal());
    const moment = (power: number) => draws.reduce((sum, x) => sum + x ** power, 0) / n;
    expect(moment(1)).toBeCloseTo(0, 1);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.15);
    const within = draws.filter((x) => Math.abs(x) < 1).length / n;
    expect(Math.abs(within - 0.6827)).toBeLessThan(0.006);
  });
});
