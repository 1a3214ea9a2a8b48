/** The paper's four transforms of image and mask together: exact, without interpolation; and their composition. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { type Augmentable, type Rearrangement, rearrange } from './rearrange.js';

const rearrangements = {
  flipHorizontal: { transpose: false, reverseRows: false, reverseColumns: true },
  flipVertical: { transpose: false, reverseRows: true, reverseColumns: false },
  rotate90: { transpose: true, reverseRows: false, reverseColumns: true },
  rotate180: { transpose: false, reverseRows: true, reverseColumns: true },
} as const satisfies Record<string, Rearrangement>;

/** Names of the paper's transforms. */
export type TransformName = keyof typeof rearrangements;

/** A transform as plain JSON. */
export type TransformConfig =
  | { readonly name: TransformName }
  | { readonly name: 'compose'; readonly transforms: readonly TransformConfig[] };

/** A transform of a sample: image and mask move together. */
export interface Transform {
  readonly name: TransformConfig['name'];
  /** A transformed copy; the sample is left alone, and its other properties are carried along. */
  readonly apply: <T extends Augmentable>(sample: T) => T;
  /** What {@link fromJSON} takes; JSON.stringify calls it. */
  readonly toJSON: () => TransformConfig;
}

/** The paper's transforms in its order, and how each moves pixels. */
export const paperRearrangements = Object.values<Rearrangement>(rearrangements);

function exact(name: TransformName): Transform {
  return { name, apply: (sample) => rearrange(sample, rearrangements[name]), toJSON: () => ({ name }) };
}

/**
 * Mirrors image and mask left to right.
 *
 * @returns The transform.
 * @throws InvalidArgumentError, when applied, where a sample's arrays do not fit its sizes.
 * @example
 * ```ts
 * import { augment } from 'pyconvunet';
 *
 * const sample = { width: 2, height: 1, channels: 1, image: Float32Array.of(1, 2), mask: Uint8Array.of(0, 1) };
 * console.log(augment.flipHorizontal().apply(sample).mask); // Uint8Array [1, 0]
 * ```
 */
export function flipHorizontal(): Transform {
  return exact('flipHorizontal');
}

/**
 * Mirrors image and mask top to bottom.
 *
 * @returns The transform.
 * @throws InvalidArgumentError, when applied, where a sample's arrays do not fit its sizes.
 * @example
 * ```ts
 * import { augment } from 'pyconvunet';
 *
 * const sample = { width: 1, height: 2, channels: 1, image: Float32Array.of(1, 2), mask: Uint8Array.of(0, 1) };
 * console.log(augment.flipVertical().apply(sample).mask); // Uint8Array [1, 0]
 * ```
 */
export function flipVertical(): Transform {
  return exact('flipVertical');
}

/**
 * Turns image and mask by 90 degrees, counter-clockwise as numpy.rot90 and torch.rot90 do; height and width (and the
 * spacing of rows and columns) change places.
 *
 * @returns The transform.
 * @throws InvalidArgumentError, when applied, where a sample's arrays do not fit its sizes.
 * @example
 * ```ts
 * import { augment } from 'pyconvunet';
 *
 * const sample = { width: 2, height: 1, channels: 1, image: Float32Array.of(1, 2), mask: Uint8Array.of(0, 1) };
 * const turned = augment.rotate90().apply(sample);
 * console.log(turned.width, turned.height, turned.mask); // 1 2 Uint8Array [1, 0]
 * ```
 */
export function rotate90(): Transform {
  return exact('rotate90');
}

/**
 * Turns image and mask by 180 degrees.
 *
 * @returns The transform.
 * @throws InvalidArgumentError, when applied, where a sample's arrays do not fit its sizes.
 * @example
 * ```ts
 * import { augment } from 'pyconvunet';
 *
 * const sample = { width: 2, height: 1, channels: 1, image: Float32Array.of(1, 2), mask: Uint8Array.of(0, 1) };
 * console.log(augment.rotate180().apply(sample).image); // Float32Array [2, 1]
 * ```
 */
export function rotate180(): Transform {
  return exact('rotate180');
}

/**
 * Applies transforms one after the other.
 *
 * @param transforms The first is applied first; none is the identity.
 * @returns The transform.
 * @throws InvalidArgumentError, when applied, where a sample's arrays do not fit its sizes.
 * @example
 * ```ts
 * import { augment } from 'pyconvunet';
 *
 * const clockwise = augment.compose([augment.rotate180(), augment.rotate90()]);
 * console.log(clockwise.name); // compose
 * ```
 */
export function compose(transforms: readonly Transform[]): Transform {
  const steps = [...transforms];
  return {
    name: 'compose',
    apply: (sample) => steps.reduce((moved, step) => step.apply(moved), sample),
    toJSON: () => ({ name: 'compose', transforms: steps.map((step) => step.toJSON()) }),
  };
}

/**
 * Makes the transform again that was written with toJSON.
 *
 * @param config What `toJSON` gave, or the same read from a file.
 * @returns The transform.
 * @throws InvalidArgumentError for a name that is no transform.
 * @example
 * ```ts
 * import { augment } from 'pyconvunet';
 *
 * const transform = augment.fromJSON(JSON.parse('{"name": "rotate90"}'));
 * console.log(transform.name); // rotate90
 * ```
 */
export function fromJSON(config: TransformConfig): Transform {
  if (config.name === 'compose') return compose(config.transforms.map(fromJSON));
  if (!Object.hasOwn(rearrangements, config.name)) {
    throw new InvalidArgumentError(
      `A transform is one of ${Object.keys(rearrangements).join(', ')}, compose. Received: '${String(config.name)}'.`,
    );
  }
  return exact(config.name);
}
