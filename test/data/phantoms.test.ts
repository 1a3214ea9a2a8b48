/** Phantoms: no threshold solves them, a seed fixes them, and they look as they are described. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Phantom, phantom, phantomNames, prepareSamples } from '../../src/data/index.js';

/** Dice of the best threshold for one image, over all values and both polarities. */
function bestThreshold({ image, mask }: Phantom): number {
  const all = new Float64Array(256);
  const inside = new Float64Array(256);
  image.data.forEach((value, i) => {
    all[value]++;
    if (mask.data[i] === 255) inside[value]++;
  });
  const total = all.reduce((a, b) => a + b);
  const foreground = inside.reduce((a, b) => a + b);
  let best = (2 * foreground) / (total + foreground);
  for (let t = 0, below = 0, hit = 0; t < 255; t++) {
    below += all[t];
    hit += inside[t];
    best = Math.max(best, (2 * hit) / (below + foreground), (2 * (foreground - hit)) / (total - below + foreground));
  }
  return best;
}

/** Mean jump of brightness across the object's border, from `reach` pixels inside to `reach` outside, along rows. */
function contrast({ image, mask }: Phantom, reach: number): number {
  const { width } = image;
  let sum = 0;
  let count = 0;
  for (let i = reach + 1; i < mask.data.length - reach - 1; i++) {
    const x = i % width;
    if (x <= reach || x >= width - reach - 1 || mask.data[i] === mask.data[i + 1]) continue;
    sum += Math.abs(image.data[i - reach + 1] - image.data[i + reach]);
    count++;
  }
  return sum / count;
}

describe('bestThreshold, the oracle of these tests', () => {
  const raster = (values: number[]) => ({ width: 4, height: 1, channels: 1, data: Uint8Array.from(values) });
  it.each([
    ['bright objects', [10, 20, 200, 210], [0, 0, 255, 255], 1],
    ['dark objects', [10, 20, 200, 210], [255, 255, 0, 0], 1],
    ['objects between', [10, 100, 100, 200], [0, 255, 255, 0], 0.8],
  ])('finds %s', (_, values, mask, dice) => {
    expect(bestThreshold({ name: 'x', image: raster(values), mask: raster(mask) })).toBeCloseTo(dice, 9);
  });
});

describe.each(phantomNames)('phantom %s', (name) => {
  it.each([
    [32, 60],
    [64, 60],
    [128, 30],
    [512, 2],
  ])('is not solved by a threshold at %i pixels, even one chosen for each image', (size, count) => {
    for (const seed of [0, 1]) {
      for (const each of phantom(name, { count, size, seed })) expect(bestThreshold(each)).toBeLessThan(0.8);
    }
  });

  it('is 512 x 512 bytes with a mask of 0 and 255 by default', () => {
    const [{ image, mask }] = phantom(name, { count: 1 });
    for (const raster of [image, mask]) {
      expect([raster.width, raster.height, raster.channels, raster.data.length]).toEqual([512, 512, 1, 512 * 512]);
    }
    expect([...new Set(mask.data)].sort()).toEqual([0, 255]);
    const share = mask.data.filter((value) => value === 255).length / mask.data.length;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.5);
  });

  it('follows from seed and index alone', () => {
    const [first, second] = phantom(name, { count: 2, size: 32, seed: 5 });
    expect(phantom(name, { count: 3, size: 32, seed: 5 }).slice(0, 2)).toEqual([first, second]);
    expect(phantom(name, { count: 1, size: 32, seed: 6 })[0].image).not.toEqual(first.image);
    expect(second.mask).not.toEqual(first.mask);
    expect(first.name).toBe(`${name}_000`);
  });

  it('gives a sample for training', () => {
    const { samples } = prepareSamples(phantom(name, { count: 2, size: 32 }));
    expect(samples.map((each) => each.image.length)).toEqual([1024, 1024]);
    expect(Math.max(...samples[0].mask)).toBe(1);
  });
});

describe('phantoms', () => {
  it('are the same in every runtime and version', () => {
    const hash = createHash('sha256');
    for (const name of phantomNames) {
      for (const { image, mask } of phantom(name, { count: 2, size: 64 })) hash.update(image.data).update(mask.data);
    }
    expect(hash.digest('hex')).toBe('5c5553431d95b19e8133d263613a1765d9d1d521486ded1a9df07705a216c394');
  });

  it('have blurred borders in the lung, and sharp ones in the liver', () => {
    const ratio = (name: 'lung' | 'liver') => {
      const phantoms = phantom(name, { count: 4 });
      const mean = (reach: number) => phantoms.reduce((sum, each) => sum + contrast(each, reach), 0);
      return mean(2) / mean(14);
    };
    expect(ratio('lung')).toBeLessThan(0.4);
    expect(ratio('liver')).toBeGreaterThan(0.6);
  });

  it('have thin membranes between cells', () => {
    const widths: number[] = [];
    for (const { mask } of phantom('cell', { count: 2 })) {
      for (let y = 0; y < 512; y++) {
        const row = mask.data.subarray(512 * y, 512 * (y + 1)).join(' ');
        for (const gap of row.matchAll(/(?<=255 )((?:0 )+)(?=255)/g)) widths.push(gap[1].length / 2);
      }
    }
    const thin = widths.filter((width) => width <= 8).length;
    expect(thin / widths.length).toBeGreaterThan(0.2);
  });

  it('refuse illegal options', () => {
    // @ts-expect-error: a name that a JavaScript user may pass
    expect(() => phantom('bone', { count: 1 })).toThrow("A phantom is one of lung, liver, cell. Received: 'bone'.");
    // @ts-expect-error: as a JavaScript user may forget them
    expect(() => phantom('lung')).toThrow("Say how many: phantom('lung', { count: 5 }).");
    expect(() => phantom('lung', { count: 0 })).toThrow(
      'The count of phantoms must be a whole number of at least 1. Received: 0.',
    );
    expect(() => phantom('lung', { count: 1, size: 31 })).toThrow(
      "A phantom's size must be a whole number of at least 32 pixels. Received: 31.",
    );
    expect(() => phantom('lung', { count: 1, seed: 0.5 })).toThrow('0.5');
  });
});
