/** PNG files from pixels, through fast-png. */
import { encode } from 'fast-png';
import { InvalidArgumentError } from '../runtime/errors.js';

/** Pixels that a PNG can hold. */
export interface PngPixels {
  readonly width: number;
  readonly height: number;
  /** 1 (grey), 3 (RGB) or 4 (RGB and alpha). */
  readonly channels: number;
  /** `height * width * channels` values: bytes, or 16 bits a sample. */
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array;
}

/**
 * Encodes grey or RGB pixels as PNG.
 *
 * @param pixels Width, height, channels (1, 3 or 4) and the samples of 8 or 16 bits.
 * @returns The file's content.
 * @throws InvalidArgumentError where the number of samples does not fit the sizes.
 * @example
 * ```ts
 * import { encodePng } from 'pyconvunet/training';
 *
 * const file = encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) });
 * console.log(file[0].toString(16), String.fromCharCode(...file.slice(1, 4))); // 89 PNG
 * ```
 */
export function encodePng(pixels: PngPixels): Uint8Array {
  const { width, height, channels, data } = pixels;
  if (![1, 3, 4].includes(channels)) {
    throw new InvalidArgumentError(`A PNG has 1, 3 or 4 channels. Received: ${channels}.`);
  }
  const samples = width * height * channels;
  if (!(width > 0) || !(height > 0) || data.length !== samples) {
    throw new InvalidArgumentError(
      `A PNG of ${width} x ${height} pixels and ${channels} channels needs ${samples} samples (more than 0). ` +
        `Received: ${data.length}.`,
    );
  }
  return encode({ width, height, channels, depth: data instanceof Uint16Array ? 16 : 8, data });
}
