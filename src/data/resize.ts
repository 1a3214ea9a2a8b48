/** Resizing of images (bilinear) and masks (nearest), both with pixel centres at half positions. */
import { InvalidArgumentError } from '../runtime/errors.js';

/** Height and width in pixels. */
export type Size = readonly [height: number, width: number];

/** An image as rows of pixels, channels innermost: data[(y * width + x) * channels + c]. */
export interface Plane<T> {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: T;
}

function requireSize([height, width]: Size): void {
  if (!Number.isInteger(height) || !Number.isInteger(width) || height < 1 || width < 1) {
    throw new InvalidArgumentError(
      `A size is [height, width] in whole pixels, each at least 1. Received: [${height}, ${width}].`,
    );
  }
}

/** For each output position the two neighbours and the weight of the second. */
function taps(from: number, to: number): { low: Int32Array; high: Int32Array; weight: Float32Array } {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const weight = new Float32Array(to);
  const scale = from / to;
  for (let i = 0; i < to; i++) {
    const centre = Math.max(0, (i + 0.5) * scale - 0.5);
    low[i] = Math.min(Math.floor(centre), from - 1);
    high[i] = Math.min(low[i] + 1, from - 1);
    weight[i] = centre - low[i];
  }
  return { low, high, weight };
}

/**
 * Resizes an image or a probability map bilinearly, as PyTorch's `F.interpolate(mode='bilinear', align_corners=False)`
 * and OpenCV's INTER_LINEAR do: half-pixel centres, edges repeated, no smoothing before an image is made smaller (the
 * reference runs did it so; smoothing would blur thin structures that the mask keeps).
 *
 * @param image Width, height, channels and `height * width * channels` interleaved values.
 * @param size [height, width] of the result in pixels.
 * @returns A new array of `height * width * channels` values.
 * @throws InvalidArgumentError where the size is not two whole numbers of at least 1.
 * @example
 * ```ts
 * import { resizeBilinear } from 'pyconvunet/training';
 *
 * console.log(resizeBilinear({ width: 2, height: 1, channels: 1, data: [0, 4] }, [1, 4])); // Float32Array [0, 1, 3, 4]
 * ```
 */
export function resizeBilinear(image: Plane<ArrayLike<number>>, size: Size): Float32Array {
  requireSize(size);
  const [height, width] = size;
  const { channels, data } = image;
  if (height === image.height && width === image.width) return Float32Array.from(data);
  const out = new Float32Array(height * width * channels);
  const rows = taps(image.height, height);
  const columns = taps(image.width, width);
  for (let y = 0, i = 0; y < height; y++) {
    const upper = rows.low[y] * image.width;
    const lower = rows.high[y] * image.width;
    const v = rows.weight[y];
    for (let x = 0; x < width; x++) {
      const left = columns.low[x];
      const right = columns.high[x];
      const u = columns.weight[x];
      for (let c = 0; c < channels; c++, i++) {
        const above = data[(upper + left) * channels + c] * (1 - u) + data[(upper + right) * channels + c] * u;
        const below = data[(lower + left) * channels + c] * (1 - u) + data[(lower + right) * channels + c] * u;
        out[i] = above * (1 - v) + below * v;
      }
    }
  }
  return out;
}

/**
 * Resizes a mask to the nearest pixel centre, as PyTorch's mode 'nearest-exact': the same geometry as
 * {@link resizeBilinear}, so that image and mask stay aligned (the older 'nearest' and OpenCV's INTER_NEAREST are off by
 * up to half a pixel).
 *
 * @param mask Width, height and `height * width` labels.
 * @param size [height, width] of the result in pixels.
 * @returns A new array of `height * width` labels.
 * @throws InvalidArgumentError where the size is not two whole numbers of at least 1.
 * @example
 * ```ts
 * import { resizeNearest } from 'pyconvunet/training';
 *
 * console.log(resizeNearest({ width: 2, height: 1, data: Uint8Array.of(0, 1) }, [1, 4])); // Uint8Array [0, 0, 1, 1]
 * ```
 */
export function resizeNearest(mask: Omit<Plane<Uint8Array>, 'channels'>, size: Size): Uint8Array {
  requireSize(size);
  const [height, width] = size;
  const out = new Uint8Array(height * width);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.min(Math.floor(((y + 0.5) * mask.height) / height), mask.height - 1) * mask.width;
    for (let x = 0; x < width; x++, i++) {
      out[i] = mask.data[row + Math.min(Math.floor(((x + 0.5) * mask.width) / width), mask.width - 1)];
    }
  }
  return out;
}
