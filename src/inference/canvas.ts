/** Pixels of what a browser can draw, read through a canvas of our own: a page's canvas may hold a context of another kind. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { messageOf, withoutPeriod } from '../runtime/sentences.js';

/** What can be drawn onto a canvas. */
export type Drawable = HTMLCanvasElement | OffscreenCanvas | ImageBitmap | HTMLImageElement;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** `height * width * 4` values: red, green, blue, alpha. */
  readonly data: ImageDataArray;
}

/** An `<img>` has a size on the page, which may differ from its image's. */
const sizeOf = (image: Drawable): { width: number; height: number } =>
  'naturalWidth' in image ? { width: image.naturalWidth, height: image.naturalHeight } : image;

function context2d(width: number, height: number): OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D | null {
  // Kept by the browser in memory, not on the GPU, as it is read once.
  const settings: CanvasRenderingContext2DSettings = { willReadFrequently: true };
  const offscreen =
    typeof OffscreenCanvas === 'undefined' ? null : new OffscreenCanvas(width, height).getContext('2d', settings);
  // Older Safari has OffscreenCanvas without its 2d context.
  if (offscreen !== null || typeof document === 'undefined') return offscreen;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext('2d', settings);
}

/**
 * Draws an image at its own size and reads its pixels.
 *
 * @throws InvalidArgumentError where it is empty or not loaded, where the runtime has no canvas, and where the browser keeps
 *   the pixels of another origin secret.
 */
export function readDrawable(image: Drawable): Pixels {
  const { width, height } = sizeOf(image);
  if (!(width > 0 && height > 0)) {
    throw new InvalidArgumentError(
      `The image is empty or not loaded yet. Received: ${width}x${height} pixels. Await image.decode() of an <img>, and draw on a canvas first.`,
    );
  }
  const context = context2d(width, height);
  if (context === null) {
    throw new InvalidArgumentError(
      'This runtime has no canvas to read the image with. Pass ImageData, or a decoded image {width, height, channels, data}.',
    );
  }
  context.drawImage(image, 0, 0);
  try {
    return { width, height, data: context.getImageData(0, 0, width, height).data };
  } catch (error) {
    throw new InvalidArgumentError(
      `The browser does not let this image be read: ${withoutPeriod(messageOf(error))}. An image of another origin needs crossOrigin = 'anonymous' before it is loaded, and a server that allows it.`,
      { cause: error },
    );
  }
}
