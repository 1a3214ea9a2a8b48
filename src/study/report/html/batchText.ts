/** The batches of a study in words. */
import type { StudyConfig } from '../../schemas.js';

/** How many images a step takes, and how many of them at once. */
export const batchText = ({ batch, microBatch }: Pick<StudyConfig, 'batch' | 'microBatch'>): string =>
  microBatch === null || microBatch === batch ? `batch ${batch}` : `batch ${batch} in micro-batches of ${microBatch}`;
