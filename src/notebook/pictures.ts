/** Segmentations as pictures in a cell. */
import { preprocess, type Raster } from '../data/index.js';
import { classColour, type OverlayOptions, overlay, type Segmentation } from '../inference/index.js';
import { DISPLAY, type Displayable, type MimeBundle } from '../runtime/display.js';
import { picture } from './html.js';

/** The classes in their colours on black. */
export function maskPicture({ width, height, mask, classes }: Segmentation): MimeBundle {
  const data = new Uint8Array(width * height * 3);
  mask.forEach((label, i) => {
    if (label > 0) data.set(classColour(label), 3 * i);
  });
  const caption = `${classes.slice(1).join(', ')} (${width} x ${height})`;
  return { 'text/html': picture(data, [width, height], caption).markup };
}

/** Options of {@link showOverlay}. */
export interface ShowOptions extends OverlayOptions {
  /** What stands under the picture. */
  readonly caption?: string;
}

/**
 * A segmentation over its image, as the last value of a Jupyter cell.
 *
 * @param image The image that was segmented, in any units: it is shown in grey from its smallest to its largest value.
 * @param segmentation Its segmentation, of the same size.
 * @param options The truth, whose contour is drawn in red; opacity; caption.
 * @returns A value that shows itself in a cell.
 * @throws InvalidArgumentError where image, segmentation and truth have different sizes.
 * @example
 * ```ts
 * import { inference } from 'pyconvunet';
 * import { showOverlay } from 'pyconvunet/notebook';
 *
 * const segmentation = new inference.Segmentation({
 *   width: 2, height: 1, mask: Uint8Array.of(0, 1), probability: Float32Array.of(0, 1),
 *   classes: ['background', 'lung'], threshold: 0.5,
 * });
 * const image = { width: 2, height: 1, channels: 1, data: Uint8Array.of(10, 200) };
 * const cell = showOverlay(image, segmentation, { caption: 'case 7' });
 * console.log(Object.getOwnPropertySymbols(cell).length); // 1
 * ```
 */
export function showOverlay(image: Raster, segmentation: Segmentation, options: ShowOptions = {}): Displayable {
  const { caption = `prediction${options.truth === undefined ? '' : ' and true contour (red)'}`, ...drawing } = options;
  const { image: scaled } = preprocess(image, { channels: 1, size: null, intensity: { kind: 'minmax' } });
  const grey = scaled.map((value) => (value + 1) * 127.5);
  const { width, height } = segmentation;
  const data = overlay(grey, segmentation, drawing);
  return {
    [DISPLAY]: async () => ({
      'text/plain': caption,
      'text/html': picture(data, [width, height], caption).markup,
    }),
  };
}
