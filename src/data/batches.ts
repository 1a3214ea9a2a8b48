/** Batches of an epoch: which samples in which order, and their pixels in one array. */
import { DataError, InvalidArgumentError } from '../runtime/errors.js';
import { deriveSeed, Random } from '../runtime/random.js';
import type { Sample } from './sample.js';

/** Samples of one size, packed for a tensor. */
export interface Batch {
  /** Number of samples. */
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** `count * height * width * channels` values in [-1, 1]: [n, h, w, c]. */
  readonly images: Float32Array;
  /** `count * height * width` labels: [n, h, w]. */
  readonly masks: Uint8Array;
  readonly names: readonly string[];
}

/**
 * The order in which an epoch visits its samples: a permutation that depends on seed and epoch alone, so that a resumed
 * run sees the same batches.
 *
 * @param count Number of samples.
 * @param options The run's seed and the epoch, counted from 1.
 * @returns The indices 0..count-1, shuffled.
 * @throws InvalidArgumentError where seed or epoch are no whole numbers.
 * @example
 * ```ts
 * import { epochOrder } from 'pyconvunet/training';
 *
 * const order = epochOrder(5, { seed: 1, epoch: 3 });
 * console.log([...order].sort()); // [0, 1, 2, 3, 4]
 * ```
 */
export function epochOrder(count: number, options: { readonly seed: number; readonly epoch: number }): number[] {
  const random = new Random(deriveSeed(options.seed, 'order', options.epoch));
  return random.shuffle(Array.from({ length: count }, (_, index) => index));
}

/**
 * Cuts an order of samples into batches; the last one may be smaller and is kept.
 *
 * @param order Indices of samples.
 * @param batchSize Samples in a batch: a whole number of at least 1.
 * @returns The batches' indices.
 * @throws InvalidArgumentError for an illegal batch size.
 * @example
 * ```ts
 * import { batchIndices } from 'pyconvunet/training';
 *
 * console.log(batchIndices([4, 0, 2, 1, 3], 2)); // [[4, 0], [2, 1], [3]]
 * ```
 */
export function batchIndices(order: readonly number[], batchSize: number): number[][] {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new InvalidArgumentError(`A batch size must be a whole number of at least 1. Received: ${batchSize}.`);
  }
  const batches: number[][] = [];
  for (let start = 0; start < order.length; start += batchSize) batches.push(order.slice(start, start + batchSize));
  return batches;
}

/**
 * Makes sure that samples can share a batch.
 *
 * @param samples The samples.
 * @throws DataError that names two samples whose sizes or channels differ.
 * @example
 * ```ts
 * import { phantom, prepareSamples, requireOneSize } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * requireOneSize(samples);
 * ```
 */
export function requireOneSize(samples: readonly Sample[]): void {
  const describe = (s: Sample): string => `${s.name} has ${s.width} x ${s.height} pixels and ${s.channels} channels`;
  const [first] = samples;
  for (const sample of samples) {
    const same = sample.width === first.width && sample.height === first.height && sample.channels === first.channels;
    if (!same) {
      throw new DataError(
        `Images of one batch must have one size, but ${describe(first)}, and ${describe(sample)}. ` +
          `Give a size that all are resized to.`,
      );
    }
  }
}

/**
 * Packs samples of one size into one array each for images and masks.
 *
 * @param samples At least one sample; all of one size.
 * @returns Images [n, h, w, c], masks [n, h, w] and the names.
 * @throws InvalidArgumentError for no samples; DataError where sizes differ.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { packBatch, phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * const batch = packBatch(samples);
 * const x = tf.tensor4d(batch.images, [batch.count, batch.height, batch.width, batch.channels]);
 * console.log(x.shape); // [4, 32, 32, 1]
 * ```
 */
export function packBatch(samples: readonly Sample[]): Batch {
  if (samples.length === 0) throw new InvalidArgumentError('A batch needs at least one sample. Received: none.');
  requireOneSize(samples);
  const [{ width, height, channels }] = samples;
  const images = new Float32Array(samples.length * height * width * channels);
  const masks = new Uint8Array(samples.length * height * width);
  samples.forEach((sample, n) => {
    images.set(sample.image, n * height * width * channels);
    masks.set(sample.mask, n * height * width);
  });
  return { count: samples.length, height, width, channels, images, masks, names: samples.map((s) => s.name) };
}
