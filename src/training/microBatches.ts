/** A batch in pieces whose gradients add up to the batch's. */
import type { Batch } from '../data/index.js';

/** Some images of a batch, and their share of it. */
export interface MicroBatch {
  readonly piece: Batch;
  /** Of the batch's images: the weight of the piece's loss, where the batch's is a mean over images. */
  readonly share: number;
}

/** Cuts a batch into pieces of `size` images; the last one may be smaller. */
export function microBatches(batch: Batch, size: number): MicroBatch[] {
  const { count, height, width, channels, images, masks, names } = batch;
  if (size >= count) return [{ piece: batch, share: 1 }];
  const pixels = height * width;
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    const from = i * size;
    const to = Math.min(count, from + size);
    const piece = {
      ...batch,
      count: to - from,
      images: images.subarray(from * pixels * channels, to * pixels * channels),
      masks: masks.subarray(from * pixels, to * pixels),
      names: names.slice(from, to),
    };
    return { piece, share: (to - from) / count };
  });
}

/** The batches of a run. */
export interface BatchSizes {
  readonly batchSize: number;
  /** Images of a batch that are computed at once. Default: all. */
  readonly microBatch?: number;
  /** Of an epoch, whose last batch may hold fewer. Default: a multiple of the batch. */
  readonly samples?: number;
}

/** How many images are computed at once in a run: every number that occurs, the largest first. */
export function pieceSizes({ batchSize, microBatch = batchSize, samples = batchSize }: BatchSizes): number[] {
  const batches = [Math.min(batchSize, samples), samples % batchSize];
  const pieces = batches.flatMap((count) => [Math.min(count, microBatch), count % microBatch]);
  return [...new Set(pieces)].filter((count) => count > 0).sort((a, b) => b - a);
}
