/** Objects of a mask, and which of them the other mask does not touch. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { checkKeys } from '../spec/index.js';

/** Options of the count of objects. */
export interface ObjectOptions {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Whether pixels belong together by their edges (4) or by their corners too (8). Default 8. */
  readonly connectivity?: 4 | 8;
}

/** How many objects a prediction missed and made up. */
export interface ObjectCounts {
  /** Connected components of the true foreground. */
  readonly objects: number;
  /** Those of them in which no pixel is predicted to be foreground. */
  readonly missed: number;
  /** Connected components of the predicted foreground in which no pixel is truly foreground. */
  readonly spurious: number;
}

const ALONG_EDGES = [
  [0, -1],
  [0, 1],
  [-1, 0],
  [1, 0],
] as const;
const ALONG_CORNERS = [
  [-1, -1],
  [-1, 1],
  [1, -1],
  [1, 1],
] as const;

/** Floods each component of the mask once, with a stack of pixels, and asks whether the other mask lies in it. */
function countComponents(mask: Uint8Array, other: Uint8Array, options: Required<ObjectOptions>) {
  const { width, height, connectivity } = options;
  const steps = connectivity === 4 ? ALONG_EDGES : [...ALONG_EDGES, ...ALONG_CORNERS];
  const isSeen = new Uint8Array(mask.length);
  const stack = new Int32Array(mask.length);
  let components = 0;
  let untouched = 0;
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || isSeen[start] === 1) continue;
    components++;
    let isTouched = false;
    let waiting = 0;
    stack[waiting++] = start;
    isSeen[start] = 1;
    while (waiting > 0) {
      const pixel = stack[--waiting];
      if (other[pixel] !== 0) isTouched = true;
      const x = pixel % width;
      const y = (pixel - x) / width;
      for (const [down, right] of steps) {
        const row = y + down;
        const column = x + right;
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const neighbour = row * width + column;
        if (mask[neighbour] === 0 || isSeen[neighbour] === 1) continue;
        isSeen[neighbour] = 1;
        stack[waiting++] = neighbour;
      }
    }
    if (!isTouched) untouched++;
  }
  return { components, untouched };
}

/**
 * Counts the objects of a mask (connected components of its foreground), those that a prediction missed altogether, and
 * those that it made up. The Dice of a set hides a small object that was missed; this does not.
 *
 * @param yTrue The true mask: `height * width` values, rows from the top; foreground where not 0.
 * @param yPred The predicted mask of the same size.
 * @param options `width`, `height` in pixels, `connectivity` 4 or 8 (default 8).
 * @returns The number of objects, of missed and of spurious ones.
 * @throws InvalidArgumentError if a mask has another size, or an option is illegal.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 *
 * const yTrue = Uint8Array.of(1, 0, 0, 0, 0, 1, 0, 0);
 * const yPred = Uint8Array.of(0, 0, 0, 1, 0, 1, 0, 0);
 * const counts = metrics.missedObjects(yTrue, yPred, { width: 4, height: 2, connectivity: 4 });
 * console.log(counts); // { objects: 2, missed: 1, spurious: 1 }
 * ```
 */
export function missedObjects(yTrue: Uint8Array, yPred: Uint8Array, options: ObjectOptions): ObjectCounts {
  checkKeys('metrics.missedObjects', options, ['width', 'height', 'connectivity']);
  const { width, height, connectivity = 8 } = options;
  for (const [name, value] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InvalidArgumentError(
        `metrics.missedObjects: ${name} must be an integer from 1 on. Received: ${name}=${value}.`,
      );
    }
  }
  if (connectivity !== 4 && connectivity !== 8) {
    throw new InvalidArgumentError(
      `metrics.missedObjects: connectivity must be 4 or 8. Received: connectivity=${connectivity}.`,
    );
  }
  if (yTrue.length !== width * height || yPred.length !== width * height) {
    throw new InvalidArgumentError(
      `metrics.missedObjects: yTrue and yPred must hold ${width * height} pixels (width ${width} x height ${height}). ` +
        `Received: ${yTrue.length} and ${yPred.length}.`,
    );
  }
  const truth = countComponents(yTrue, yPred, { width, height, connectivity });
  const prediction = countComponents(yPred, yTrue, { width, height, connectivity });
  return { objects: truth.components, missed: truth.untouched, spurious: prediction.untouched };
}
