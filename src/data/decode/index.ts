/** Decoding of image files by their content, in browsers as well as in Node. */
import { DataError } from '../../runtime/errors.js';
import { messageOf } from '../../runtime/sentences.js';
import type { Raster } from '../raster.js';
import type { IndexedAs } from './channels.js';
import { decodeJpeg } from './jpeg.js';
import { decodePng } from './png.js';
import { countTiffPages, decodeTiff } from './tiff.js';

/** File name extensions of the formats that can be decoded, in lower case. */
export const imageExtensions: readonly string[] = ['png', 'jpg', 'jpeg', 'tif', 'tiff'];

/**
 * Whether a file's name is that of an image which {@link decodeImage} reads; hidden files (`._scan.png` of a file manager) are not.
 *
 * @param name The file's name without its folder.
 * @returns Whether it has a name before one of the extensions.
 * @example
 * ```ts
 * import { isImageFile } from 'pyconvunet/training';
 *
 * console.log(isImageFile('scan.TIF'), isImageFile('._scan.png')); // true false
 * ```
 */
export function isImageFile(name: string): boolean {
  const dot = name.lastIndexOf('.');
  return dot > 0 && !name.startsWith('.') && imageExtensions.includes(name.slice(dot + 1).toLowerCase());
}

type Format = 'PNG' | 'JPEG' | 'TIFF';

const signatures: readonly (readonly [Format, readonly number[]])[] = [
  ['PNG', [0x89, 0x50, 0x4e, 0x47]],
  ['JPEG', [0xff, 0xd8, 0xff]],
  ['TIFF', [0x49, 0x49, 42, 0]],
  ['TIFF', [0x4d, 0x4d, 0, 42]],
];
const bigTiffSignatures = [
  [0x49, 0x49, 43, 0],
  [0x4d, 0x4d, 0, 43],
];

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((value, i) => bytes[i] === value);
}

function detect(bytes: Uint8Array, name: string): Format {
  const found = signatures.find(([, signature]) => startsWith(bytes, signature));
  if (found !== undefined) return found[0];
  if (bytes.length === 0) throw new DataError(`${name} is empty. Copy it again from its source, or remove it.`);
  const what = bigTiffSignatures.some((signature) => startsWith(bytes, signature))
    ? 'is a BigTIFF'
    : 'is neither PNG, JPEG nor TIFF by its first bytes';
  throw new DataError(`${name} ${what}, which cannot be read. Save it as PNG, JPEG or (classic) TIFF.`);
}

function reading<T>(name: string, format: Format, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = messageOf(cause).replace(/[.:\s]+$/, '');
    throw new DataError(
      `${name} cannot be read as ${format}: ${reason}. It may be cut short, damaged or of an unusual kind: ` +
        `copy it again, or save it as 8-bit or 16-bit PNG.`,
      { cause },
    );
  }
}

/**
 * The decoders read from the underlying buffer, where a view's neighbours would pass for the rest of a cut file.
 * (The copy is by constructor: slice of a Node Buffer would be a view again.)
 */
function standalone(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/** Options of {@link decodeImage}. */
export interface DecodeOptions {
  /**
   * What an image with a palette gives: 'colours' (default), or 'labels' for masks: the indices, unless the colours in
   * use are pure black and white.
   */
  readonly indexedAs?: IndexedAs;
}

/**
 * Decodes a PNG, JPEG or TIFF; the format is told from the content, not from the name.
 *
 * Alpha is dropped, palettes are resolved, bits below 8 are scaled to 0..255, TIFFs whose white is 0 are inverted;
 * 16-bit, 32-bit and float samples keep their values.
 *
 * @param bytes The file's content.
 * @param name The file's name, for messages.
 * @returns The pages in order: one for PNG and JPEG.
 * @throws DataError that names the file, where it cannot be read.
 * @example
 * ```ts
 * import { decodeImage, encodePng } from 'pyconvunet/training';
 *
 * const file = encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) });
 * const [image] = decodeImage(file, 'two.png');
 * console.log(image.width, image.height, image.data); // 2 1 Uint8Array [0, 255]
 * ```
 */
export function decodeImage(bytes: Uint8Array, name: string, options: DecodeOptions = {}): Raster[] {
  const { indexedAs = 'colours' } = options;
  const format = detect(bytes, name);
  const whole = standalone(bytes);
  return reading(name, format, () => {
    if (format === 'PNG') return [decodePng(whole, indexedAs)];
    if (format === 'JPEG') return [decodeJpeg(whole)];
    return decodeTiff(whole, indexedAs);
  });
}

/**
 * Counts the pages of an image file without decoding pixels.
 *
 * @param bytes The file's content.
 * @param name The file's name, for messages.
 * @returns 1 for PNG and JPEG, else the number of pages that {@link decodeImage} gives.
 * @throws DataError that names the file, where it is no image.
 * @example
 * ```ts
 * import { countPages, encodePng } from 'pyconvunet/training';
 *
 * const file = encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) });
 * console.log(countPages(file, 'two.png')); // 1
 * ```
 */
export function countPages(bytes: Uint8Array, name: string): number {
  const format = detect(bytes, name);
  return format === 'TIFF' ? reading(name, format, () => countTiffPages(standalone(bytes))) : 1;
}
