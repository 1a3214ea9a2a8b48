/** A picture for people: the image in grey, the prediction as a tint, the truth's contour in red. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { classColour, type DrawOptions, requireOpacity, type Segmentation } from './segmentation.js';

/** What to draw; the default opacity of the prediction's tint is 0.4. */
export interface OverlayOptions extends DrawOptions {
  /** `height * width` labels of the truth, whose borders are drawn in red. */
  readonly truth?: Uint8Array;
}

const RED = [230, 0, 0] as const;

/** Whether a pixel of a label has a 4-neighbour of another label. */
function isBorder(mask: Uint8Array, width: number, height: number, i: number): boolean {
  const label = mask[i];
  if (label === 0) return false;
  const x = i % width;
  const y = Math.floor(i / width);
  return (
    (x > 0 && mask[i - 1] !== label) ||
    (x < width - 1 && mask[i + 1] !== label) ||
    (y > 0 && mask[i - width] !== label) ||
    (y < height - 1 && mask[i + width] !== label)
  );
}

function requirePixels(what: string, received: number, { width, height }: Segmentation): void {
  if (received !== width * height) {
    throw new InvalidArgumentError(
      `${what} must hold one value for each pixel of the segmentation: ${height} * ${width}. Received: ${received} values.`,
    );
  }
}

/**
 * Draws a segmentation over its image.
 *
 * @param grey `height * width` values 0..255 of the image; what lies outside is clipped.
 * @param segmentation The prediction, of the same size.
 * @param options The truth, whose contour is drawn in red as in the paper's Fig. 4, and the opacity.
 * @returns `height * width * 3` RGB values.
 * @throws InvalidArgumentError where image or truth have another size than the segmentation.
 *
 * @example
 * ```ts
 * import { inference } from 'pyconvunet';
 *
 * const segmentation = new inference.Segmentation({
 *   width: 2, height: 1, mask: Uint8Array.of(0, 1), probability: Float32Array.of(0, 1),
 *   classes: ['background', 'foreground'], threshold: 0.5,
 * });
 * console.log(inference.overlay(Uint8Array.of(10, 10), segmentation)); // Uint8Array [10, 10, 10, 6, 69, 52]
 * ```
 */
export function overlay(grey: ArrayLike<number>, segmentation: Segmentation, options: OverlayOptions = {}): Uint8Array {
  const { truth, opacity = 0.4 } = options;
  const { width, height, mask } = segmentation;
  requireOpacity(opacity);
  requirePixels('The grey image', grey.length, segmentation);
  if (truth !== undefined) requirePixels('The truth', truth.length, segmentation);
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const value = grey[i] ?? 0;
    const label = mask[i] ?? 0;
    if (truth !== undefined && isBorder(truth, width, height, i)) rgb.set(RED, i * 3);
    else if (label === 0) rgb.fill(value, i * 3, i * 3 + 3);
    else
      rgb.set(
        classColour(label).map((part) => value * (1 - opacity) + part * opacity),
        i * 3,
      );
  }
  return new Uint8Array(rgb.buffer);
}
