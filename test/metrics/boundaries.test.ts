import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distanceTransform } from '../../src/metrics/distanceTransform.js';
import { hausdorffDistance, hausdorffDistance95, surfaceDice } from '../../src/metrics/index.js';
import { type BinaryMask, contour } from '../../src/metrics/surface.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { maskFrom, oracle } from './oracle.js';

describe('distanceTransform', () => {
  it.each(oracle.distances.map((entry, i) => [i, entry] as const))('equals SciPy: case %i', (_, entry) => {
    const distances = distanceTransform(maskFrom(entry.targets), entry.spacing);
    expect(distances.length).toBe(entry.distances.length);
    distances.forEach((distance, i) => {
      expect(distance).toBeCloseTo(entry.distances[i], 10);
    });
  });

  it('equals the search over all targets', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 14 }),
        fc.integer({ min: 1, max: 14 }),
        fc.infiniteStream(fc.nat(9)),
        fc.tuple(fc.double({ min: 0.1, max: 5, noNaN: true }), fc.double({ min: 0.1, max: 5, noNaN: true })),
        (width, height, stream, spacing) => {
          const data = new Uint8Array(width * height);
          for (let i = 0; i < data.length; i++) data[i] = Number(stream.next().value) === 0 ? 1 : 0;
          const distances = distanceTransform({ data, width, height }, spacing);
          for (let i = 0; i < data.length; i++) {
            let nearest = Number.POSITIVE_INFINITY;
            for (let j = 0; j < data.length; j++) {
              if (data[j] === 0) continue;
              const rows = (Math.floor(i / width) - Math.floor(j / width)) * spacing[0];
              nearest = Math.min(nearest, Math.hypot(rows, ((i % width) - (j % width)) * spacing[1]));
            }
            if (nearest === Number.POSITIVE_INFINITY) expect(distances[i]).toBe(nearest);
            else expect(Math.abs(distances[i] - nearest)).toBeLessThan(1e-9 * (1 + nearest));
          }
        },
      ),
      { numRuns: 60, seed: 2 },
    );
  });
});

describe('contours', () => {
  it('are foreground pixels beside background or at the border', () => {
    const mask = maskFrom(['#####..', '#####..', '#####..', '.......', '.....#.']);
    const drawn = Array.from({ length: 5 }, (_, y) =>
      Array.from(contour(mask).slice(y * 7, y * 7 + 7), (v) => (v === 1 ? '#' : '.')).join(''),
    );
    expect(drawn).toEqual(['#####..', '#...#..', '#####..', '.......', '.....#.']);
  });
});

describe('Hausdorff distance and surface Dice', () => {
  it.each(oracle.boundaries.map((entry, i) => [i, entry] as const))('equal MONAI: case %i', (_, entry) => {
    const spacing = entry.spacing === null ? {} : { spacing: entry.spacing };
    const yTrue = { ...maskFrom(entry.truth), ...spacing };
    const yPred = { ...maskFrom(entry.prediction), ...spacing };
    // MONAI's numbers are float32.
    expect(hausdorffDistance(yTrue, yPred)).toBeCloseTo(entry.hausdorff, 4);
    expect(hausdorffDistance95(yTrue, yPred)).toBeCloseTo(entry.hausdorff95, 4);
    for (const [tolerance, expected] of entry.surfaceDice) {
      expect(surfaceDice(yTrue, yPred, { tolerance })).toBeCloseTo(expected, 6);
    }
  });

  it('state what an empty mask gives', () => {
    const empty = { data: new Uint8Array(12), width: 4, height: 3, spacing: [2, 1] as const };
    const dot = { ...empty, data: Uint8Array.from({ length: 12 }, (_, i) => (i === 5 ? 1 : 0)) };
    for (const [a, b] of [
      [empty, dot],
      [dot, empty],
    ]) {
      expect(hausdorffDistance(a, b)).toBeNull();
      expect(hausdorffDistance95(a, b)).toBeNull();
      expect(hausdorffDistance(a, b, { emptyPolicy: 'diagonal' })).toBe(5);
      expect(surfaceDice(a, b)).toBe(0);
      expect(surfaceDice(a, b, { emptyPolicy: 'ignore' })).toBe(0);
    }
    expect(hausdorffDistance(empty, empty)).toBeNull();
    expect(hausdorffDistance(empty, empty, { emptyPolicy: 'diagonal' })).toBe(0);
    expect(surfaceDice(empty, empty)).toBe(1);
    expect(surfaceDice(empty, empty, { emptyPolicy: 'zero' })).toBe(0);
    expect(surfaceDice(empty, empty, { emptyPolicy: 'ignore' })).toBeNull();
  });

  it('say what does not fit', () => {
    const mask = (width: number, height: number, spacing?: [number, number]) => ({
      data: new Uint8Array(width * height).fill(1),
      width,
      height,
      ...(spacing === undefined ? {} : { spacing }),
    });
    expect(() => hausdorffDistance(mask(4, 3), mask(3, 4))).toThrow(
      new InvalidArgumentError(
        'metrics.hausdorffDistance: yTrue and yPred must be masks of one size with width * height values. Received: yTrue 4x3 with 12 values, yPred 3x4 with 12 values.',
      ),
    );
    const segmentation = { mask: new Uint8Array(4), width: 2, height: 2 } as unknown as BinaryMask;
    expect(() => hausdorffDistance95(mask(2, 2), segmentation)).toThrow(
      new InvalidArgumentError(
        'metrics.hausdorffDistance95: yPred must be a mask: data (a Uint8Array, foreground where not 0), width and height. Received: an object of mask, width, height. Of what predictMask returns give { data: mask, width, height }.',
      ),
    );
    expect(() => surfaceDice(new Uint8Array(4) as unknown as BinaryMask, mask(2, 2))).toThrow(
      'yTrue must be a mask: data (a Uint8Array, foreground where not 0), width and height. Received: values without their width and height.',
    );
    expect(() => surfaceDice(mask(2, 2, [1, 1]), mask(2, 2, [1, 2]))).toThrow(
      'metrics.surfaceDice: both masks must have one spacing [row, column] of positive numbers. Received: yTrue 2x2 with 4 values and spacing [1, 1], yPred 2x2 with 4 values and spacing [1, 2].',
    );
    expect(() => surfaceDice(mask(2, 2, [0, 1]), mask(2, 2))).toThrow('of positive numbers');
    const inOneNumber = { ...mask(2, 2), spacing: 0.5 as unknown as [number, number] };
    expect(() => surfaceDice(inOneNumber, inOneNumber)).toThrow(
      'metrics.surfaceDice: both masks must have one spacing [row, column] of positive numbers. Received: yTrue 2x2 with 4 values and spacing 0.5, yPred 2x2 with 4 values and spacing 0.5.',
    );
    expect(() => hausdorffDistance(mask(2, 2), mask(2, 2), { percentile: 0 })).toThrow(
      'metrics.hausdorffDistance: percentile must be above 0 and at most 100. Received: percentile=0.',
    );
    expect(() => surfaceDice(mask(2, 2), mask(2, 2), { tolerance: -1 })).toThrow(
      'metrics.surfaceDice: tolerance must be a number not below 0. Received: tolerance=-1.',
    );
  });
});
