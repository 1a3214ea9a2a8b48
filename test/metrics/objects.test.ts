import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missedObjects } from '../../src/metrics/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { maskFrom } from './oracle.js';

interface OracleCase {
  width: number;
  height: number;
  seed: number;
  percent: number;
  connectivity: 4 | 8;
  pixels: [number, number];
  counts: { objects: number; missed: number; spurious: number };
}
const { cases }: { cases: OracleCase[] } = JSON.parse(
  readFileSync(new URL('../oracles/objects.json', import.meta.url), 'utf8'),
);

/** The formula of test/oracles/objects.py. */
function hash(x: number, y: number, seed: number): number {
  let h = (Math.imul(x, 0x9e3779b1) + Math.imul(y, 0x85ebca77) + Math.imul(seed, 0xc2b2ae3d)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function blobs(width: number, height: number, seed: number, percent: number): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const x = pixel % width;
    const y = Math.floor(pixel / width);
    const isCell = hash(Math.floor(x / 4), Math.floor(y / 3), seed) % 100 < percent;
    return isCell && hash(x, y, seed + 1000) % 100 < 75 ? 1 : 0;
  });
}

const sum = (mask: Uint8Array) => mask.reduce((total, value) => total + value, 0);

describe('missedObjects', () => {
  it.each(cases)('equals SciPy: $width x $height, seed $seed, connectivity $connectivity', (entry) => {
    const { width, height, seed, percent, connectivity } = entry;
    const yTrue = blobs(width, height, seed, percent);
    const yPred = blobs(width, height, seed + 50, percent);
    expect([sum(yTrue), sum(yPred)]).toEqual(entry.pixels);
    expect(missedObjects(yTrue, yPred, { width, height, connectivity })).toEqual(entry.counts);
  });

  it('joins corners by default, and asks for one pixel only', () => {
    const yTrue = maskFrom(['#..#.', '.#.#.', '.....', '##..#']);
    const yPred = maskFrom(['..#..', '.#.#.', '.....', '..#..']);
    const { width, height } = yTrue;
    expect(missedObjects(yTrue.data, yPred.data, { width, height })).toEqual({ objects: 4, missed: 2, spurious: 1 });
    expect(missedObjects(yTrue.data, yPred.data, { width, height, connectivity: 4 })).toEqual({
      objects: 5,
      missed: 3,
      spurious: 2,
    });
  });

  it('takes every value but 0 for foreground', () => {
    const yTrue = Uint8Array.of(255, 0, 3);
    expect(missedObjects(yTrue, Uint8Array.of(2, 0, 0), { width: 3, height: 1 })).toEqual({
      objects: 2,
      missed: 1,
      spurious: 0,
    });
  });

  it('does not join a row with the next', () => {
    const yTrue = Uint8Array.of(0, 0, 1, 1, 0, 0);
    expect(missedObjects(yTrue, yTrue, { width: 3, height: 2 }).objects).toBe(2);
  });

  it('fills a large object without recursion', () => {
    const yTrue = new Uint8Array(1500 * 1000).fill(1);
    const yPred = new Uint8Array(yTrue.length);
    expect(missedObjects(yTrue, yPred, { width: 1500, height: 1000 })).toEqual({ objects: 1, missed: 1, spurious: 0 });
  });

  it('turns missed into spurious where the masks are swapped, and keeps all under a transposition', () => {
    const size = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(size, size, fc.constantFrom(4, 8), fc.nat(), (width, height, connectivity, seed) => {
        const yTrue = blobs(width, height, seed, 40);
        const yPred = blobs(width, height, seed + 50, 40);
        const counts = missedObjects(yTrue, yPred, { width, height, connectivity });
        const swapped = missedObjects(yPred, yTrue, { width, height, connectivity });
        expect([swapped.missed, swapped.spurious]).toEqual([counts.spurious, counts.missed]);
        const transposed = (mask: Uint8Array) =>
          mask.map((_, pixel) => mask[(pixel % height) * width + Math.floor(pixel / height)]);
        expect(
          missedObjects(transposed(yTrue), transposed(yPred), { width: height, height: width, connectivity }),
        ).toEqual(counts);
      }),
    );
  });

  it('says what does not fit', () => {
    const mask = new Uint8Array(6);
    expect(() => missedObjects(mask, new Uint8Array(5), { width: 3, height: 2 })).toThrow(
      new InvalidArgumentError(
        'metrics.missedObjects: yTrue and yPred must hold 6 pixels (width 3 x height 2). Received: 6 and 5.',
      ),
    );
    expect(() => missedObjects(mask, mask, { width: 0, height: 2 })).toThrow(
      'metrics.missedObjects: width must be an integer from 1 on. Received: width=0.',
    );
    expect(() => missedObjects(mask, mask, { width: 3, height: 1.5 })).toThrow(
      'metrics.missedObjects: height must be an integer from 1 on. Received: height=1.5.',
    );
    // @ts-expect-error: another connectivity, as JavaScript could pass it
    expect(() => missedObjects(mask, mask, { width: 3, height: 2, connectivity: 6 })).toThrow(
      'metrics.missedObjects: connectivity must be 4 or 8. Received: connectivity=6.',
    );
  });
});
