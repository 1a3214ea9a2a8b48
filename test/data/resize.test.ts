/** Resizing against PyTorch's F.interpolate (test/oracles/resize.py). */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resizeBilinear, resizeNearest } from '../../src/data/index.js';

interface Case {
  height: number;
  width: number;
  channels: number;
  size: [number, number];
  image: number[];
  bilinear: number[];
  mask: number[];
  nearest: number[];
}
const cases: Case[] = JSON.parse(readFileSync(new URL('../oracles/resize.json', import.meta.url), 'utf8'));

describe.each(cases)('$height x $width to $size, $channels channels', (each) => {
  const { height, width, channels, size } = each;

  it('is bilinear as in PyTorch', () => {
    const resized = resizeBilinear({ width, height, channels, data: each.image }, size);
    expect(resized.length).toBe(each.bilinear.length);
    resized.forEach((value, i) => {
      expect(Math.abs(value - each.bilinear[i])).toBeLessThan(1e-3);
    });
  });

  it('is nearest as in PyTorch (nearest-exact)', () => {
    expect([...resizeNearest({ width, height, data: Uint8Array.from(each.mask) }, size)]).toEqual(each.nearest);
  });
});

const extent = fc.integer({ min: 1, max: 12 });
describe('resizing', () => {
  it('keeps a constant image and the range of any image', () => {
    fc.assert(
      fc.property(extent, extent, extent, extent, fc.integer(), (height, width, h, w, seed) => {
        const data = Float32Array.from(
          { length: height * width },
          (_, i) => Math.abs(Math.imul(i + seed, 2654435761)) % 256,
        );
        const out = resizeBilinear({ width, height, channels: 1, data }, [h, w]);
        expect(out.length).toBe(h * w);
        expect(Math.min(...out)).toBeGreaterThanOrEqual(Math.min(...data) - 1e-3);
        expect(Math.max(...out)).toBeLessThanOrEqual(Math.max(...data) + 1e-3);
      }),
      { seed: 1 },
    );
  });

  it('invents no label', () => {
    fc.assert(
      fc.property(extent, extent, extent, extent, (height, width, h, w) => {
        const data = Uint8Array.from({ length: height * width }, (_, i) => (i * 7) % 5);
        const labels = new Set(data);
        expect([...resizeNearest({ width, height, data }, [h, w])].every((label) => labels.has(label))).toBe(true);
      }),
      { seed: 1 },
    );
  });

  it('refuses an illegal size', () => {
    const image = { width: 2, height: 2, channels: 1, data: new Float32Array(4) };
    expect(() => resizeBilinear(image, [0, 4])).toThrow(
      'A size is [height, width] in whole pixels, each at least 1. Received: [0, 4].',
    );
    expect(() => resizeNearest({ width: 2, height: 2, data: new Uint8Array(4) }, [2, 1.5])).toThrow('[2, 1.5]');
  });
});
