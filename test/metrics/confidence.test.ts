import { describe, expect, it } from 'vitest';
import { bootstrapInterval, type CountedImage, diceConfidence, percentile } from '../../src/metrics/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { Random } from '../../src/runtime/random.js';
import { oracle } from './oracle.js';

const image = (tp: number, fp: number, fn: number, group?: string): CountedImage => ({
  counts: [{ tp, fp, fn, tn: 0 }],
  ...(group === undefined ? {} : { group }),
});

describe('percentile', () => {
  it('equals NumPy', () => {
    const { values, at } = oracle.percentiles;
    for (const [percent, expected] of at) expect(percentile(values, percent)).toBeCloseTo(expected, 12);
    expect(percentile([7], 2.5)).toBe(7);
  });
});

describe('bootstrapInterval', () => {
  it('approaches the exact distribution of resamples', () => {
    // 4^4 resamples of four values are all equally likely: their means' percentiles are the limit.
    const values = [0.1, 0.5, 0.62, 0.95];
    const exact: number[] = [];
    for (const a of values)
      for (const b of values) for (const c of values) for (const d of values) exact.push((a + b + c + d) / 4);
    const mean = (indices: Uint32Array) => indices.reduce((sum, i) => sum + values[i], 0) / indices.length;
    const interval = bootstrapInterval(4, mean, { level: 0.8, resamples: 20_000, seed: 4 });
    expect(interval?.[0]).toBeCloseTo(percentile(exact, 10), 2);
    expect(interval?.[1]).toBeCloseTo(percentile(exact, 90), 2);
  });

  it('covers the true mean about as often as it says', () => {
    const random = new Random(11);
    let covered = 0;
    const trials = 200;
    for (let trial = 0; trial < trials; trial++) {
      const sample = Array.from({ length: 40 }, () => random.normal());
      const mean = (indices: Uint32Array) => indices.reduce((sum, i) => sum + sample[i], 0) / indices.length;
      const interval = bootstrapInterval(40, mean, { level: 0.9, resamples: 300, seed: trial });
      if (interval !== null && interval[0] <= 0 && interval[1] >= 0) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.83);
    expect(covered / trials).toBeLessThan(0.95);
  });

  it('says which option is illegal', () => {
    const zero = () => 0;
    expect(() => bootstrapInterval(3, zero, { level: 1 })).toThrow(
      new InvalidArgumentError('metrics: level must lie between 0 and 1. Received: level=1.'),
    );
    expect(() => bootstrapInterval(3, zero, { resamples: 0 })).toThrow(
      'metrics: resamples must be an integer from 1 on. Received: resamples=0.',
    );
    expect(() => bootstrapInterval(0, zero)).toThrow('metrics: n must be an integer from 1 on. Received: n=0.');
    expect(() => bootstrapInterval(3, zero, { seed: 0.5 })).toThrow('A seed must be an integer');
  });
});

describe('diceConfidence', () => {
  const images = [image(90, 10, 10), image(80, 5, 30), image(40, 40, 5), image(99, 1, 2)];

  it('adds up the pixels of the drawn images and repeats with its seed', () => {
    const exact: number[] = [];
    const numbers = [0, 1, 2, 3];
    for (const a of numbers)
      for (const b of numbers)
        for (const c of numbers)
          for (const d of numbers) {
            const drawn = [a, b, c, d].map((i) => images[i].counts[0]);
            const sum = (key: 'tp' | 'fp' | 'fn') => drawn.reduce((total, counts) => total + counts[key], 0);
            exact.push((2 * sum('tp')) / (2 * sum('tp') + sum('fp') + sum('fn')));
          }
    const confidence = diceConfidence(images, { resamples: 20_000, seed: 0 });
    expect(confidence).toMatchObject({ level: 0.95, unit: 'image', n: 4, note: 'rough: 4 images, fewer than 50' });
    expect(confidence).not.toHaveProperty('reason');
    expect(confidence.dice?.[0]).toBeCloseTo(percentile(exact, 2.5), 2);
    expect(confidence.dice?.[1]).toBeCloseTo(percentile(exact, 97.5), 2);
    expect(diceConfidence(images, { resamples: 20_000, seed: 0 })).toEqual(confidence);
    expect(diceConfidence(images, { resamples: 200, seed: 1 }).dice).not.toEqual(
      diceConfidence(images, { resamples: 200, seed: 2 }).dice,
    );
  });

  it('draws groups together', () => {
    const grouped = [image(90, 10, 10, 'a'), image(10, 50, 50, 'a'), image(80, 5, 30, 'b'), image(40, 40, 5, 'b')];
    const merged = [image(100, 60, 60), image(120, 45, 35)];
    const confidence = diceConfidence(grouped, { seed: 3 });
    expect(confidence).toMatchObject({ unit: 'group', n: 2, dice: diceConfidence(merged, { seed: 3 }).dice });
  });

  it('gives no interval for fewer than two units, and says why', () => {
    const one = Array.from({ length: 30 }, () => image(5, 1, 1, 'volume'));
    expect(diceConfidence(one)).toEqual({
      dice: null,
      level: 0.95,
      unit: 'group',
      n: 1,
      reason: 'all 30 images belong to one group; an interval needs at least two independent groups',
    });
    expect(diceConfidence([image(1, 0, 0)], { level: 0.9 })).toEqual({
      dice: null,
      level: 0.9,
      unit: 'image',
      n: 1,
      reason: 'there is one image; an interval needs at least two independent images',
    });
    expect(diceConfidence([]).reason).toBe('there are no images; an interval needs at least two independent images');
    expect(diceConfidence([image(0, 0, 0), image(0, 0, 0)], { emptyPolicy: 'ignore' }).reason).toBe(
      'no image holds foreground, in truth or prediction, and empty ones are ignored',
    );
    expect(diceConfidence([image(0, 0, 0), image(0, 0, 0)]).dice).toEqual([1, 1]);
  });

  it('is not called rough from 50 units on', () => {
    const fifty = Array.from({ length: 50 }, (_, i) => image(50 + i, 5, 7));
    expect(diceConfidence(fifty)).not.toHaveProperty('note');
    expect(diceConfidence(fifty.slice(1))).toHaveProperty('note', 'rough: 49 images, fewer than 50');
  });

  it('averages over classes, and refuses images with different ones', () => {
    const two = (a: number, b: number): CountedImage => ({
      counts: [
        { tp: a, fp: 10 - a, fn: 0, tn: 0 },
        { tp: b, fp: 0, fn: 10 - b, tn: 0 },
      ],
    });
    const same = diceConfidence([two(5, 8), two(5, 8)]);
    const expected = (10 / 15 + 16 / 18) / 2;
    expect(same.dice?.[0]).toBeCloseTo(expected, 12);
    expect(same.dice?.[1]).toBeCloseTo(expected, 12);
    expect(() => diceConfidence([two(1, 1), image(1, 1, 1)])).toThrow(
      new InvalidArgumentError(
        'metrics.diceConfidence: every image needs the counts of the same classes. Received: 2, 1 classes.',
      ),
    );
  });
});
