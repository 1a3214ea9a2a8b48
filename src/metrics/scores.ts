/** The scores of one class from its counts, and what a class that is nowhere scores. */
import { InvalidArgumentError } from '../runtime/errors.js';

/**
 * What a class scores that neither the truth nor the prediction holds: 'one' (both agree), 'zero', or 'ignore' (left out
 * of the means). MONAI and torchmetrics ignore, segmentation_models.pytorch gives 1.
 */
export type EmptyPolicy = 'one' | 'zero' | 'ignore';

/** 'dataset': counts are added up over all images, then divided; 'image': scores per image, then their mean. */
export type Aggregation = 'dataset' | 'image';

/** Which classes a mean runs over: all of them, or all but class 0. */
export type ClassSelection = 'all' | 'foreground';

/** Pixels of one class against all others. */
export interface ClassCounts {
  /** True positives. */
  readonly tp: number;
  /** False positives. */
  readonly fp: number;
  /** False negatives. */
  readonly fn: number;
  /** True negatives. */
  readonly tn: number;
}

/** Scores in [0, 1]; null where nothing was left to average under the policy 'ignore'. */
export interface Scores {
  /** TP / (TP + FP + FN). */
  readonly iou: number | null;
  /** 2 TP / (2 TP + FP + FN). */
  readonly dice: number | null;
  /** TP / (TP + FP); 0 where the class is in the truth but nowhere predicted. */
  readonly precision: number | null;
  /** TP / (TP + FN); 0 where the class is predicted but nowhere in the truth. */
  readonly recall: number | null;
  /** TN / (TN + FP); 1 where every pixel is of the class, so that none can be wrongly taken for it. */
  readonly specificity: number | null;
  /** (TP + TN) / pixels. */
  readonly accuracy: number | null;
}

/** The names of the scores. */
export const scoreNames = ['iou', 'dice', 'precision', 'recall', 'specificity', 'accuracy'] as const;

const valueOfEmpty: Readonly<Record<EmptyPolicy, number | null>> = { one: 1, zero: 0, ignore: null };

/** Whether neither truth nor prediction holds the class. */
export function isEmpty(counts: ClassCounts): boolean {
  return counts.tp + counts.fp + counts.fn === 0;
}

/** The scores of one class. */
export function scoresOf(counts: ClassCounts, emptyPolicy: EmptyPolicy): Scores {
  const { tp, fp, fn, tn } = counts;
  const negatives = tn + fp;
  const specificity = negatives === 0 ? 1 : tn / negatives;
  const accuracy = (tp + tn) / (tp + fp + fn + tn);
  if (isEmpty(counts)) {
    const empty = valueOfEmpty[emptyPolicy];
    return { iou: empty, dice: empty, precision: empty, recall: empty, specificity, accuracy };
  }
  return {
    iou: tp / (tp + fp + fn),
    dice: (2 * tp) / (2 * tp + fp + fn),
    precision: tp + fp === 0 ? 0 : tp / (tp + fp),
    recall: tp + fn === 0 ? 0 : tp / (tp + fn),
    specificity,
    accuracy,
  };
}

/** The mean of what is not null; null if nothing is left. */
export function meanOfPresent(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}

/** Each score's mean over a list of scores. */
export function meanScores(list: readonly Scores[]): Scores {
  const mean = (name: (typeof scoreNames)[number]) => meanOfPresent(list.map((scores) => scores[name]));
  return {
    iou: mean('iou'),
    dice: mean('dice'),
    precision: mean('precision'),
    recall: mean('recall'),
    specificity: mean('specificity'),
    accuracy: mean('accuracy'),
  };
}

/** Adds counts up. */
export function addCounts(list: readonly ClassCounts[]): ClassCounts {
  const sum = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (const counts of list) {
    sum.tp += counts.tp;
    sum.fp += counts.fp;
    sum.fn += counts.fn;
    sum.tn += counts.tn;
  }
  return sum;
}

/** Scores of one foreground against the background, over a whole set. */
export interface ForegroundScores {
  /** Dice of the foreground; null only where the policy ignores it. */
  readonly dice: number | null;
  /** Mean of the IoU of background and foreground. */
  readonly meanIoU: number | null;
}

/** {@link ForegroundScores} from the foreground's counts. */
export function foregroundScores(counts: ClassCounts, emptyPolicy: EmptyPolicy): ForegroundScores {
  const foreground = scoresOf(counts, emptyPolicy);
  const background = scoresOf({ tp: counts.tn, fp: counts.fn, fn: counts.fp, tn: counts.tp }, emptyPolicy);
  return { dice: foreground.dice, meanIoU: meanOfPresent([background.iou, foreground.iou]) };
}

/** Checks an option that has a few legal words. */
export function requireOneOf(owner: string, option: string, value: string, legal: readonly string[]): void {
  if (!legal.includes(value)) {
    throw new InvalidArgumentError(
      `${owner}: ${option} must be one of ${legal.map((word) => `'${word}'`).join(', ')}. Received: ${option}='${value}'.`,
    );
  }
}

/** Checks the options that every overlap metric shares. */
export function requirePolicies(
  owner: string,
  options: { emptyPolicy: EmptyPolicy; aggregation: Aggregation; classes: ClassSelection },
): void {
  requireOneOf(owner, 'emptyPolicy', options.emptyPolicy, ['one', 'zero', 'ignore']);
  requireOneOf(owner, 'aggregation', options.aggregation, ['dataset', 'image']);
  requireOneOf(owner, 'classes', options.classes, ['all', 'foreground']);
}

/** Checks a threshold on probabilities. */
export function requireThreshold(owner: string, threshold: number): void {
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new InvalidArgumentError(
      `${owner}: threshold must be a probability from 0 to 1. Received: threshold=${threshold}.`,
    );
  }
}

/**
 * The smallest value that counts as foreground, as float32 holds it: predictions are float32, and a threshold of 0.3 must
 * decide the same on the device and on the host.
 */
export function foregroundFrom(threshold: number, fromLogits: boolean): number {
  return Math.fround(fromLogits ? Math.log(threshold / (1 - threshold)) : threshold);
}
