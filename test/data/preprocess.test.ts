/** Preprocessing: which one is chosen for what files, and what it does to values. */
import { describe, expect, it } from 'vitest';
import {
  type Preprocessing,
  preprocess,
  type Raster,
  type RasterData,
  resolvePreprocessing,
} from '../../src/data/index.js';
import { DataError } from '../../src/runtime/errors.js';

function raster(data: RasterData, channels = 1): Raster {
  return { width: data.length / channels, height: 1, channels, data };
}
const range = (low: number, high: number, channels: 1 | 3 = 1): Preprocessing => ({
  channels,
  size: null,
  intensity: { kind: 'range', low, high },
});
const scaledBytes: Preprocessing = { channels: 1, size: null, intensity: { kind: 'bytes' } };
const minmax: Preprocessing = { channels: 1, size: null, intensity: { kind: 'minmax' } };

describe('resolvePreprocessing', () => {
  const bytes = raster(Uint8Array.of(0, 10, 20));
  const deep = raster(Uint16Array.of(0, 10, 20));

  it('takes the full scale of bytes, and each image its own range otherwise', () => {
    expect(resolvePreprocessing([bytes])).toEqual(scaledBytes);
    expect(resolvePreprocessing([deep])).toEqual(minmax);
    expect(resolvePreprocessing([bytes, deep])).toEqual(minmax);
  });

  it('turns centre and width of a window into a range', () => {
    expect(resolvePreprocessing([deep], { window: [40, 400] }).intensity).toEqual({
      kind: 'range',
      low: -160,
      high: 240,
    });
  });

  it('finds colour by content: grey stored as RGB is grey', () => {
    expect(resolvePreprocessing([raster(Uint8Array.of(7, 7, 7, 9, 9, 9), 3)]).channels).toBe(1);
    expect(resolvePreprocessing([bytes, raster(Uint8Array.of(7, 7, 7, 9, 9, 8), 3)]).channels).toBe(3);
    expect(resolvePreprocessing([bytes], { channels: 3 }).channels).toBe(3);
  });

  it('takes a number as a square', () => {
    expect(resolvePreprocessing([bytes], { size: 64 }).size).toEqual([64, 64]);
    expect(resolvePreprocessing([bytes], { size: [32, 64] }).size).toEqual([32, 64]);
    expect(resolvePreprocessing([bytes], { size: null }).size).toBeNull();
  });

  it('is JSON as it is', () => {
    const value = resolvePreprocessing([bytes], { size: 64, window: [1, 2] });
    expect(JSON.parse(JSON.stringify(value))).toEqual(value);
  });

  it.each([
    [{ size: 0 }, 'size must be a whole number of pixels or [height, width], each at least 1. Received: 0.'],
    [{ size: [4, 2.5] as const }, 'Received: [4,2.5].'],
    [
      { window: [40, 0] as const },
      'window must be [centre, width] with a width above 0, such as [40, 400]. Received: [40,0].',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => resolvePreprocessing([bytes], options)).toThrow(message);
  });

  it('refuses no images', () => {
    expect(() => resolvePreprocessing([])).toThrow('Preprocessing is decided from images. Received: none.');
  });
});

describe('preprocess', () => {
  it('maps a range to [-1, 1] and clips', () => {
    const { image } = preprocess(raster(Int16Array.of(-2000, -160, 40, 140, 240, 3000)), range(-160, 240));
    expect([...image]).toEqual([-1, -1, 0, 0.5, 1, 1]);
  });

  it('maps bytes exactly at the ends', () => {
    const { image } = preprocess(raster(Uint8Array.from({ length: 256 }, (_, i) => i)), range(0, 255));
    image.forEach((value, i) => {
      expect(value).toBeCloseTo(i / 127.5 - 1, 6);
    });
    expect([image[0], image[255]]).toEqual([-1, 1]);
  });

  it('scales each image by its own values', () => {
    expect([...preprocess(raster(Uint16Array.of(100, 150, 300)), minmax).image]).toEqual([-1, -0.5, 1]);
    expect([...preprocess(raster(Float32Array.of(-3, 1, 5)), minmax).image]).toEqual([-1, 0, 1]);
  });

  it('gives numbers for constant images and for values that are none', () => {
    expect([...preprocess(raster(Uint16Array.of(5, 5)), minmax).image]).toEqual([-1, -1]);
    const odd = Float32Array.of(Number.NaN, 0, 1, 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    expect([...preprocess(raster(odd), minmax).image]).toEqual([-1, -1, 0, 1, 1, -1]);
    expect([...preprocess(raster(Float32Array.of(Number.NaN, Number.NaN)), minmax).image]).toEqual([-1, -1]);
  });

  it('makes grey by luma and RGB by repetition', () => {
    const { image } = preprocess(raster(Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77), 3), range(0, 255));
    [0.299, 0.587, 0.114, 77 / 255].forEach((luma, i) => {
      expect(image[i]).toBeCloseTo(2 * luma - 1, 6);
    });
    expect([...preprocess(raster(Uint8Array.of(0, 255)), range(0, 255, 3)).image]).toEqual([-1, -1, -1, 1, 1, 1]);
  });

  it('resizes after scaling', () => {
    const out = preprocess(
      { width: 2, height: 2, channels: 1, data: Uint8Array.of(0, 0, 255, 255) },
      { ...range(0, 255), size: [1, 2] },
    );
    expect(out).toEqual({ width: 2, height: 1, channels: 1, image: Float32Array.of(0, 0) });
  });

  it('leaves the image alone', () => {
    const data = Float32Array.of(1, 2, 3);
    preprocess(raster(data), minmax);
    expect([...data]).toEqual([1, 2, 3]);
  });

  it('scales bytes from 0..255 and refuses to scale anything else so', () => {
    const bytes = Uint8Array.of(0, 51, 255);
    expect([...preprocess(raster(bytes), scaledBytes).image]).toEqual([-1, Math.fround(-0.6), 1]);
    expect(preprocess(raster(Uint8ClampedArray.from(bytes)), scaledBytes).image).toHaveLength(3);
    expect(() => preprocess(raster(Uint16Array.of(12, 4000)), scaledBytes)).toThrow(
      'The images of training were bytes, scaled from 0..255. Received: an image of Uint16Array, with values from 12 to 4000. Convert it to 8 bits as the images of training were, or train with a window in the units of such images.',
    );
    expect(() => preprocess(raster(Float32Array.of(0, 1)), scaledBytes)).toThrow(DataError);
    // A range that somebody gave is taken at its word, whatever the type.
    expect([...preprocess(raster(Uint16Array.of(0, 255)), range(0, 255)).image]).toEqual([-1, 1]);
  });

  it('refuses other channels', () => {
    expect(() => preprocess(raster(Uint8Array.of(1, 2), 2), minmax)).toThrow(
      'An image must have 1 (grey) or 3 (RGB) channels. Received: 2.',
    );
  });
});
