/** Enlarging a training set as the paper does: the originals and four transformed copies of each. */
import { type Augmentable, rearrangeLater } from './rearrange.js';
import { paperRearrangements } from './transforms.js';

/**
 * The paper's enlargement: each sample, then its horizontal flip, vertical flip, rotation by 90 and by 180 degrees: five
 * times the samples. A sample that is not square gets no rotation by 90 degrees (four times), because its copy would
 * have another size than the batch.
 *
 * For the training part only, after the split: copies keep the name of their original, and `split` refuses two samples
 * of one name. The pixels of a copy are moved when they are read, so that the copies need no memory of their own.
 *
 * @param samples The training samples.
 * @returns A new array: original, its copies, the next original, and so on.
 * @throws InvalidArgumentError, when a copy is read, where a sample's arrays do not fit its sizes.
 * @example
 * ```ts
 * import { augment } from 'pyconvunet';
 * import { phantom, prepareSamples, split } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 10, size: 32 }));
 * const { train } = split(samples, { seed: 1 });
 * console.log(train.length, augment.expand(train).length); // 8 40
 * ```
 */
export function expand<T extends Augmentable>(samples: readonly T[]): T[] {
  return samples.flatMap((sample) => {
    const square = sample.width === sample.height;
    const fitting = paperRearrangements.filter(({ transpose }) => square || !transpose);
    return [sample, ...fitting.map((how) => rearrangeLater(sample, how))];
  });
}
