/** Augmentation on the fly: one transform for each batch, drawn by seed, epoch and step. */
import { deriveSeed, Random } from '../runtime/random.js';
import { checkKeys } from '../spec/index.js';
import type { Augmentable } from './rearrange.js';
import { flipHorizontal, flipVertical, rotate90, rotate180, type Transform } from './transforms.js';

/** Options of {@link random}. */
export interface RandomOptions {
  /** The run's seed: any whole number, 0 included. */
  readonly seed: number;
  /** The epoch. */
  readonly epoch: number;
  /** The step within the epoch. */
  readonly step: number;
  /** What is drawn from beside the identity; default: the paper's four transforms. */
  readonly transforms?: readonly Transform[];
}

/**
 * Transforms a batch by one of: nothing, horizontal flip, vertical flip, rotation by 90 or by 180 degrees, each equally
 * likely. One draw serves the whole batch, as in the PyTorch runs that results are compared with. It depends on seed,
 * epoch and step alone, so that a resumed run sees the same pixels.
 *
 * Where an image of the batch is not square, transforms that exchange height and width are not drawn.
 *
 * @param samples The samples of one batch.
 * @param options Seed, epoch and step; other transforms than the paper's.
 * @returns The transformed samples: the very same ones where nothing was drawn.
 * @throws InvalidArgumentError where seed, epoch or step are no whole numbers, or a sample's arrays do not fit its sizes.
 * @example
 * ```ts
 * import { augment } from 'pyconvunet';
 * import { packBatch, phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * const batch = packBatch(augment.random(samples, { seed: 1, epoch: 3, step: 0 }));
 * console.log(batch.count); // 4
 * ```
 */
export function random<T extends Augmentable>(samples: readonly T[], options: RandomOptions): T[] {
  checkKeys('augment.random', options, ['seed', 'epoch', 'step', 'transforms']);
  const { seed, epoch, step, transforms = [flipHorizontal(), flipVertical(), rotate90(), rotate180()] } = options;
  const square = samples.every(({ width, height }) => width === height);
  const legal = square ? transforms : transforms.filter((transform) => keepsSize(transform));
  const drawn = new Random(deriveSeed(seed, 'augment', epoch, step)).integer(legal.length + 1);
  if (drawn === 0) return [...samples];
  return samples.map((sample) => legal[drawn - 1].apply(sample));
}

function keepsSize(transform: Transform): boolean {
  const probe = { width: 2, height: 1, channels: 1, image: new Float32Array(2), mask: new Uint8Array(2) };
  return transform.apply(probe).width === probe.width;
}
