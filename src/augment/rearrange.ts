/** The one index mapping behind flips and turns: pixels change places, no value is interpolated. */
import { InvalidArgumentError } from '../runtime/errors.js';

/** What a transform needs of a sample; everything else of the sample is carried along. */
export interface Augmentable {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** `height * width * channels` values. */
  readonly image: Float32Array;
  /** `height * width` labels. */
  readonly mask: Uint8Array;
  /** Size of a pixel [row, column]; it turns with the image. */
  readonly spacing?: readonly [number, number];
}

/**
 * Where the pixel of a result comes from: its row and column, exchanged where `transpose` says so, then counted from
 * the source's other end where reversed. The eight combinations are the symmetries of the square.
 */
export interface Rearrangement {
  readonly transpose: boolean;
  readonly reverseRows: boolean;
  readonly reverseColumns: boolean;
}

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

function moveTo<T extends Float32Array | Uint8Array>(out: T, source: T, shape: Shape, how: Rearrangement): T {
  const { width, height, channels } = shape;
  if (source.length !== out.length) {
    throw new InvalidArgumentError(
      `A sample of ${width} x ${height} pixels needs ${out.length} values of its ${channels} channels (or of its mask). ` +
        `Received: ${source.length}.`,
    );
  }
  const [rows, columns] = how.transpose ? [width, height] : [height, width];
  for (let i = 0, to = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const row = how.transpose ? j : i;
      const column = how.transpose ? i : j;
      const y = how.reverseRows ? height - 1 - row : row;
      const x = how.reverseColumns ? width - 1 - column : column;
      const from = (y * width + x) * channels;
      for (let c = 0; c < channels; c++, to++) out[to] = source[from + c];
    }
  }
  return out;
}

function moveImage({ width, height, channels, image }: Augmentable, how: Rearrangement): Float32Array {
  return moveTo(new Float32Array(width * height * channels), image, { width, height, channels }, how);
}

function moveMask({ width, height, mask }: Augmentable, how: Rearrangement): Uint8Array {
  return moveTo(new Uint8Array(width * height), mask, { width, height, channels: 1 }, how);
}

/** What changes beside the pixels. */
function turned({ width, height, spacing }: Augmentable, how: Rearrangement): Partial<Augmentable> {
  if (!how.transpose) return {};
  return { width: height, height: width, ...(spacing === undefined ? {} : { spacing: [spacing[1], spacing[0]] }) };
}

/** A copy of a sample with image and mask rearranged. */
export function rearrange<T extends Augmentable>(sample: T, how: Rearrangement): T {
  return { ...sample, ...turned(sample, how), image: moveImage(sample, how), mask: moveMask(sample, how) };
}

/** As {@link rearrange}, but the pixels are moved when they are read and may be forgotten again: a set of many costs no memory. */
export function rearrangeLater<T extends Augmentable>(sample: T, how: Rearrangement): T {
  const image = forgetful(() => moveImage(sample, how));
  const mask = forgetful(() => moveMask(sample, how));
  return {
    ...sample,
    ...turned(sample, how),
    get image() {
      return image();
    },
    get mask() {
      return mask();
    },
  };
}

/** Makes a value when it is asked for, and again after the garbage collector took it. */
function forgetful<V extends object>(make: () => V): () => V {
  let known: WeakRef<V> | undefined;
  return () => {
    const kept = known?.deref();
    if (kept !== undefined) return kept;
    const made = make();
    known = new WeakRef(made);
    return made;
  };
}
