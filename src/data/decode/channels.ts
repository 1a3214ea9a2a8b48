/** Layout of decoded samples: packed bits, palettes and alpha become plain grey or RGB values. */
import type { RasterData } from '../raster.js';

/** A file's pixels before palette and alpha are resolved. */
export interface Indexed {
  readonly width: number;
  readonly height: number;
  readonly indices: Uint8Array | Uint16Array;
  /** Colours of 8 bits each: red, green, blue, and alpha where the file has it. */
  readonly palette: readonly (readonly number[])[];
}

/**
 * How an indexed image is read: as the colours that a viewer shows, or as a label image, whose indices are the classes
 * unless the colours in use are pure black and white.
 */
export type IndexedAs = 'colours' | 'labels';

/** Samples of 1, 2 or 4 bits, packed in bytes with rows that begin on a byte, as one byte a sample. */
export function unpackBits(packed: ArrayLike<number>, samplesPerRow: number, rows: number, depth: number): Uint8Array {
  const out = new Uint8Array(samplesPerRow * rows);
  const bytesPerRow = Math.ceil((samplesPerRow * depth) / 8);
  const mask = (1 << depth) - 1;
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < samplesPerRow; x++, i++) {
      const bit = x * depth;
      out[i] = (packed[y * bytesPerRow + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
    }
  }
  return out;
}

/** The first `kept` of `channels` interleaved channels: drops alpha, as Pillow's convert('RGB') and OpenCV do. */
export function keepChannels<T extends RasterData>(data: T, channels: number, kept: number): T {
  if (channels === kept) return data;
  const pixels = data.length / channels;
  const out = data.slice(0, pixels * kept) as T;
  for (let p = 0; p < pixels; p++) for (let c = 0; c < kept; c++) out[p * kept + c] = data[p * channels + c];
  return out;
}

/** Resolves an indexed image; undefined colours (an index beyond the palette) are an error of the file. */
export function resolveIndexed(image: Indexed, as: IndexedAs): { channels: number; data: Uint8Array } {
  const { indices, palette } = image;
  const used = new Set<number>(indices);
  let grey = true;
  let blackOrWhite = true;
  for (const index of used) {
    const colour = palette[index];
    if (colour === undefined) throw new Error(`index ${index} is beyond its palette of ${palette.length} colours`);
    const [red, green, blue] = colour;
    if (red !== green || red !== blue) grey = false;
    if (!grey || (red !== 0 && red !== 255)) blackOrWhite = false;
  }
  if (as === 'labels' && !blackOrWhite) return { channels: 1, data: Uint8Array.from(indices) };
  const channels = grey ? 1 : 3;
  const data = new Uint8Array(indices.length * channels);
  for (let p = 0; p < indices.length; p++) {
    for (let c = 0; c < channels; c++) data[p * channels + c] = palette[indices[p]][c];
  }
  return { channels, data };
}
