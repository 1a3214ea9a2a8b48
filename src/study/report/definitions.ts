/** How every number of a report was counted, in sentences. */
import { TOLERANCE } from '../cases.js';
import type { StudyConfig } from '../schemas.js';

/** The sentences that a report states. */
export function definitionsOf({ test, seeds, folds, data, splitSeed }: StudyConfig): string[] {
  const generated = data.some(({ source }) => source.startsWith('phantom:'));
  return [
    'Foreground is a probability of at least 0.5; no post-processing.',
    'Dice: 2TP / (2TP + FP + FN) of the foreground. MIoU: the mean of TP / (TP + FP + FN) over background and foreground. Counts are added up over the whole set ("whole set"), or each image is scored and the mean taken ("per image", as the code of the paper does).',
    'An image without foreground in truth and prediction scores 1; their number stands in the table of objects.',
    "Everything is scored at the study's size: images and masks as they were resized, distances in pixels of that size.",
    `Surface Dice: share of both contours that lies within ${TOLERANCE} pixel of the other. HD95: 95 % Hausdorff distance in pixels; images with an empty mask have none and are left out of its summary.`,
    'An object is a connected part of the true foreground (8 neighbours); it is missed where no pixel of it is predicted.',
    'Intervals: 95 %, percentile bootstrap, 2000 resamples, seed 0. Units are groups (patients, volumes) where the data have them, else images; below 50 units an interval is rough.',
    'Comparisons: the same cases, paired. Difference of the whole-set Dice with a bootstrap interval of the same draws; p by the two-sided Wilcoxon signed-rank test over units; Holm over all pairs of a data set. A network is marked best only where it is separated from every other one by both, on real images and with at least three seeds.',
    test > 0
      ? 'The best epoch was chosen by validation Dice; the test part was not seen before.'
      : 'The best epoch is chosen by Dice on the very images that it is reported on, as in the paper: such numbers are optimistic. The last epoch stands beside it.',
    `The parts come from split seed ${splitSeed}${folds === null ? '' : ` in ${folds} folds`} and are the same for every network and seed.`,
    ...(folds === null
      ? []
      : [
          test > 0
            ? 'The test part is the same in every fold: its scores are means over folds and seeds. On the validation parts, networks are scored over all folds together, trivial predictors fold by fold, then averaged.'
            : 'Networks are scored over the validation parts of all folds together; trivial predictors fold by fold, then averaged.',
        ]),
    ...(seeds.length < 3
      ? [`${seeds.length === 1 ? 'One seed' : 'Two seeds'} a network: an engineering check, no claim about networks.`]
      : []),
    ...(generated
      ? ['Phantoms are generated images: they show that training works, never which network is better.']
      : []),
    'Seconds are measured on the machine named below, other work not excluded. Memory is the largest sum of tensors alive, in training with the moments of Adam; what the backend holds besides is not in it.',
  ];
}
