/** PNG through fast-png: every colour type and bit depth as grey or RGB of 8 or 16 bits. */
import { decode } from 'fast-png';
import type { Raster } from '../raster.js';
import { type IndexedAs, keepChannels, resolveIndexed, unpackBits } from './channels.js';

/** Decodes a PNG; bit depths below 8 are scaled to 0..255, as the PNG specification says. */
export function decodePng(bytes: Uint8Array, indexedAs: IndexedAs): Raster {
  const png = decode(bytes, { checkCrc: true });
  const { width, height, channels, depth, palette } = png;
  const samples = width * channels;
  const expected = depth < 8 ? Math.ceil((samples * depth) / 8) * height : samples * height;
  if (png.data.length !== expected) throw new Error(`it holds ${png.data.length} values instead of ${expected}`);
  const data = depth < 8 ? unpackBits(png.data, samples, height, depth) : png.data;
  if (palette !== undefined) {
    const indices = data instanceof Uint8ClampedArray ? Uint8Array.from(data) : data;
    return { width, height, ...resolveIndexed({ width, height, indices, palette }, indexedAs) };
  }
  if (depth < 8) {
    const scale = 255 / (2 ** depth - 1);
    for (let i = 0; i < data.length; i++) data[i] *= scale;
  }
  const kept = channels < 3 ? 1 : 3;
  return { width, height, channels: kept, data: keepChannels(data, channels, kept) };
}
