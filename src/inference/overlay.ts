/** A picture for people: the image in grey, the prediction as a tint, the truth's contour in red. */
import { classColour, type Segmentation } from './segmentation.js';

/** What to draw. */
export interface OverlayOptions {
  /** `height * width` labels of the truth, whose borders are drawn in red. */
  readonly truth?: Uint8Array;
  /** Share of the tint in the prediction's area, 0..1. Default 0.4. */
  readonly opacity?: number;
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

/**
 * Draws a segmentation over its image.
 *
 * @param grey `height * width` values 0..255 of the image.
 * @param segmentation The prediction, of the same size.
 * @param options The truth, whose contour is drawn in red as in the paper's Fig. 4, and the opacity.
 * @returns `height * width * 3` RGB values.
 *
 * @example
 * ```ts
 * import { inference } from 'pyconvunet';
 *
 * const segmentation = new inference.Segmentation({
 *   width: 2, height: 1, mask: Uint8Array.of(0, 1), probability: Float32Array.of(0, 1),
 *   classes: ['background', 'foreground'], threshold: 0.5,
 * });
 * console.log(inference.overlay(Uint8Array.of(10, 10), segmentation).length); // 6
 * ```
 */
export function overlay(grey: ArrayLike<number>, segmentation: Segmentation, options: OverlayOptions = {}): Uint8Array {
  const { truth, opacity = 0.4 } = options;
  const { width, height, mask } = segmentation;
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const value = grey[i] ?? 0;
    const label = mask[i] ?? 0;
    const tint = label > 0 ? classColour(label) : undefined;
    const colour =
      truth !== undefined && isBorder(truth, width, height, i)
        ? RED
        : tint === undefined
          ? [value, value, value]
          : tint.map((part) => Math.round(value * (1 - opacity) + part * opacity));
    rgb.set(colour, i * 3);
  }
  return rgb;
}
