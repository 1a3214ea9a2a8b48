/** Decoding against files and values that Pillow, tifffile and pypng made (test/oracles/images.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { countPages, decodeImage, encodePng, type Raster } from '../../src/data/index.js';
import { DataError, InvalidArgumentError } from '../../src/runtime/errors.js';

interface Case {
  name: string;
  file: string;
  width: number;
  height: number;
  channels: number;
  pages: number[][];
  type?: string;
  labels?: number[];
  tolerance?: number;
}
const oracle: { cases: Case[]; refused: { name: string; file: string; reason: string }[] } = JSON.parse(
  readFileSync(new URL('../oracles/images.json', import.meta.url), 'utf8'),
);
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const named = (name: string): Uint8Array => {
  const found = oracle.cases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no file ${name}`);
  return bytesOf(found.file);
};

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return String(error);
  }
  throw new Error('nothing was thrown');
}

describe('decodeImage', () => {
  it.each(oracle.cases)('reads $name', ({ name, file, width, height, channels, pages, type, tolerance = 0 }) => {
    const rasters = decodeImage(bytesOf(file), name);
    expect(rasters.length).toBe(pages.length);
    expect(countPages(bytesOf(file), name)).toBe(pages.length);
    rasters.forEach((raster: Raster, page) => {
      expect({ width: raster.width, height: raster.height, channels: raster.channels }).toEqual({
        width,
        height,
        channels,
      });
      if (type !== undefined) expect(raster.data.constructor.name).toBe(type);
      const off = pages[page].map((value, i) => Math.abs(value - raster.data[i]));
      expect(raster.data.length).toBe(pages[page].length);
      expect(Math.max(...off)).toBeLessThanOrEqual(tolerance);
    });
  });

  it.each(oracle.cases.filter(({ labels }) => labels !== undefined))('reads $name as labels', (file) => {
    const [raster] = decodeImage(bytesOf(file.file), file.name, { indexedAs: 'labels' });
    expect(raster.channels).toBe(1);
    expect([...raster.data]).toEqual(file.labels);
  });

  it('reads a view into a larger buffer', () => {
    const bytes = named('i32.tif');
    const larger = new Uint8Array(bytes.length + 100);
    larger.set(bytes, 50);
    const [raster] = decodeImage(larger.subarray(50, 50 + bytes.length), 'view.tif');
    expect(raster).toEqual(decodeImage(bytes, 'whole.tif')[0]);
  });

  it.each(oracle.refused)('refuses $name and says why', ({ name, file, reason }) => {
    const message = messageOf(() => decodeImage(bytesOf(file), name));
    expect(message).toContain(name);
    expect(message).toContain(reason);
  });

  it.each(['grey.png', 'rgb.jpg', 'u16.tif', 'i32_lzw_strips.tif', 'stack.tif'])('refuses %s cut short', (name) => {
    const bytes = named(name);
    // The neighbour's bytes behind the cut must not be taken for the file's.
    for (const kept of [Math.floor(0.9 * bytes.length), bytes.length >> 1, 12]) {
      const message = messageOf(() => decodeImage(bytes.subarray(0, kept), name));
      expect(message).toMatch(new RegExp(`^DataError: ${name} cannot be read as (PNG|JPEG|TIFF): .+ copy it again`));
    }
  });

  it('refuses a PNG whose bytes were changed', () => {
    const bytes = named('grey16.png');
    bytes[bytes.length - 20] ^= 1;
    expect(messageOf(() => decodeImage(bytes, 'changed.png'))).toContain('changed.png cannot be read as PNG');
  });

  it('says that a file is empty, or no image', () => {
    expect(messageOf(() => decodeImage(new Uint8Array(0), 'a.png'))).toBe(
      'DataError: a.png is empty. Copy it again from its source, or remove it.',
    );
    expect(messageOf(() => decodeImage(new TextEncoder().encode('hello'), 'a.png'))).toBe(
      'DataError: a.png is neither PNG, JPEG nor TIFF by its first bytes, which cannot be read. ' +
        'Save it as PNG, JPEG or (classic) TIFF.',
    );
  });
});

describe('encodePng', () => {
  it.each([
    ['grey', 1, new Uint8Array([0, 1, 127, 128, 254, 255])],
    ['grey of 16 bits', 1, new Uint16Array([0, 1, 255, 256, 65534, 65535])],
    ['RGB', 3, Uint8Array.from({ length: 18 }, (_, i) => (i * 37) % 256)],
  ])('writes %s that is read again', (_, channels, data) => {
    expect(decodeImage(encodePng({ width: 3, height: 2, channels, data }), 'a.png')).toEqual([
      { width: 3, height: 2, channels, data },
    ]);
  });

  it('refuses samples that do not fit', () => {
    expect(() => encodePng({ width: 3, height: 2, channels: 1, data: new Uint8Array(5) })).toThrow(
      new InvalidArgumentError('A PNG of 3 x 2 pixels and 1 channels needs 6 samples (more than 0). Received: 5.'),
    );
    expect(() => encodePng({ width: 3, height: 2, channels: 2, data: new Uint8Array(12) })).toThrow(
      'A PNG has 1, 3 or 4 channels. Received: 2.',
    );
  });
});
