/** What a network does on each image of a part: counts, overlap, boundaries, objects. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Sample } from '../data/index.js';
import { predictMask } from '../inference/index.js';
import { ConfusionMatrix, hausdorffDistance95, missedObjects, surfaceDice } from '../metrics/index.js';
import type { LongCallOptions } from '../runtime/progress.js';
import { yieldToOthers } from '../runtime/yieldToOthers.js';
import type { CaseResult } from './schemas.js';

/** Distance in pixels within which contours agree. */
export const TOLERANCE = 1;

/** A scored part. */
export interface ScoredPart {
  /** Over both classes, counts added up over all images. */
  readonly meanIoU: number;
  /** Of the foreground, counts added up over all images. */
  readonly dice: number;
  readonly cases: readonly CaseResult[];
  /** Predicted labels of each case. */
  readonly masks: readonly Uint8Array[];
}

/**
 * Scores a network on samples at their own size, threshold 0.5, empty cases counted as 1.
 *
 * @param group The unit of statistics that every sample belongs to where parts are blocks of one specimen; else each
 *   sample's own group.
 */
export async function scoreCases(
  model: tfl.LayersModel,
  samples: readonly Sample[],
  {
    group,
    threads = 1,
    signal,
    onProgress,
  }: LongCallOptions & { readonly group?: string; readonly threads?: number } = {},
): Promise<ScoredPart> {
  const matrix = new ConfusionMatrix({ numClasses: 2, threshold: 0.5, emptyPolicy: 'one' });
  const masks: Uint8Array[] = [];
  for (const sample of samples) {
    const { width, height, channels, image } = sample;
    const { mask, probability } = await predictMask(
      model,
      { width, height, channels, data: image },
      { preprocessing: 'none', threads, ...(signal === undefined ? {} : { signal }) },
    );
    await matrix.update(sample.mask, probability);
    masks.push(mask);
    onProgress?.({ status: 'scoring', done: masks.length, total: samples.length });
    await yieldToOthers();
  }
  const overlaps = matrix.perImage({ classes: 'foreground' });
  const counts = matrix.perImageCounts('foreground');
  const all = matrix.result({ classes: 'all' });
  return {
    meanIoU: all.meanIoU ?? Number.NaN,
    dice: matrix.result({ classes: 'foreground' }).dice ?? Number.NaN,
    masks,
    cases: samples.map((sample, i) => {
      const { width, height, name } = sample;
      const [foreground] = counts[i] ?? [];
      const mask = masks[i];
      if (foreground === undefined || mask === undefined) throw new Error(`The sample ${name} was not scored.`);
      const yTrue = { data: sample.mask, width, height };
      const yPred = { data: mask, width, height };
      return {
        name,
        group: group ?? sample.group ?? null,
        ...foreground,
        dice: overlaps[i]?.dice ?? null,
        iou: overlaps[i]?.iou ?? null,
        surfaceDice: surfaceDice(yTrue, yPred, { tolerance: TOLERANCE }),
        hausdorff95: hausdorffDistance95(yTrue, yPred),
        ...missedObjects(sample.mask, mask, { width, height }),
      };
    }),
  };
}
