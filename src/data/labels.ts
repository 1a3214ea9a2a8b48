/** What a mask may hold: {0, 255} or {0, 1}, or the classes 0..C-1; anything else is an error that names file and values. */
import { DataError, InvalidArgumentError } from '../runtime/errors.js';
import { isGrey, type Raster } from './raster.js';

/** Checks a number of classes: undefined stands for a binary mask. */
export function requireClasses(classes: number | undefined): void {
  if (classes !== undefined && (!Number.isInteger(classes) || classes < 2 || classes > 256)) {
    throw new InvalidArgumentError(
      `classes must be a whole number from 2 (background and one class) to 256; leave it out for masks of 0 and 255. ` +
        `Received: ${classes}.`,
    );
  }
}

function listValues(values: readonly number[]): string {
  const shown = values.slice(0, 10).join(', ');
  return values.length > 10 ? `${shown}, ... (${values.length} different values)` : shown;
}

/**
 * Turns a decoded mask into labels.
 *
 * @param raster The mask as decoded: grey, or RGB with equal channels.
 * @param name The file's name, for messages.
 * @param classes The number of classes C; left out, the mask is binary.
 * @returns `height * width` labels: 0 and 1, or 0..C-1.
 * @throws DataError that names the file and the values found, where they are no labels; InvalidArgumentError for illegal
 * classes.
 * @example
 * ```ts
 * import { toLabels } from 'pyconvunet/training';
 *
 * const raster = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) };
 * console.log(toLabels(raster, 'patient7.png')); // Uint8Array [0, 1]
 * ```
 */
export function toLabels(raster: Raster, name: string, classes?: number): Uint8Array {
  requireClasses(classes);
  const { channels, data } = raster;
  if (!isGrey(raster)) {
    throw new DataError(
      `${name} is a colour image, but a mask must have one value a pixel: ` +
        `${classes === undefined ? '0 and 255, or 0 and 1' : `0..${classes - 1}`}. Save it as a grey or indexed image.`,
    );
  }
  const pixels = raster.width * raster.height;
  const values = new Set<number>();
  for (let p = 0; p < pixels; p++) values.add(data[p * channels]);
  const found = [...values].sort((a, b) => a - b);
  const labels = new Uint8Array(pixels);
  if (classes !== undefined) {
    if (!found.every((value) => Number.isInteger(value) && value >= 0 && value < classes)) {
      throw new DataError(
        `${name} has the values ${listValues(found)}, but a mask of ${classes} classes holds whole numbers ` +
          `0..${classes - 1} only. Renumber the classes, or give another number of classes (leave it out for 0 and 255).`,
      );
    }
    for (let p = 0; p < pixels; p++) labels[p] = data[p * channels];
    return labels;
  }
  const legal = [255, 1].some((foreground) => found.every((value) => value === 0 || value === foreground));
  if (!legal) {
    throw new DataError(
      `${name} has the values ${listValues(found)}, but a binary mask holds 0 and 255, or 0 and 1, only. ` +
        `Threshold it, save it without lossy compression (not as JPEG), or give the number of classes.`,
    );
  }
  for (let p = 0; p < pixels; p++) labels[p] = data[p * channels] === 0 ? 0 : 1;
  return labels;
}
