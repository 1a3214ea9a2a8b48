/**
 * Predictors that learn nothing, or next to it: a network that does not beat them has learned nothing either.
 * What they may choose (a polarity, a threshold) they choose on training samples. Labels above 0 are foreground.
 */
import { InvalidArgumentError } from '../runtime/errors.js';
import { otsuThreshold } from './otsu.js';
import {
  type ClassCounts,
  type EmptyPolicy,
  type ForegroundScores,
  foregroundScores,
  requireOneOf,
  scoresOf,
} from './scores.js';

/** What of a sample the predictors read. */
export interface TrivialSample {
  /** `height * width * channels` values, channels innermost; several channels count by their mean. */
  readonly image: Float32Array;
  /** `height * width` labels. */
  readonly mask: Uint8Array;
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Channels of the image. */
  readonly channels: number;
}

/** Which side of a threshold is foreground. */
export type Polarity = 'bright' | 'dark';

/** Scores of a predictor over the whole set, all labels above 0 taken as one foreground. */
export type TrivialScores = ForegroundScores;

/** Scores of Otsu's threshold. */
export interface OtsuScores extends TrivialScores {
  /** Which side was foreground on the training samples. */
  readonly polarity: Polarity;
}

/** The trivial predictors' scores, with what each chose on the training samples. */
export interface TrivialReport {
  /** Every pixel called foreground. */
  readonly allForeground: TrivialScores;
  /** Otsu's threshold of each image. */
  readonly otsu: OtsuScores;
  /** One threshold for all images. */
  readonly bestThreshold: ThresholdScores;
}

/** One threshold for every image. */
export interface ThresholdRule {
  /** A grey value, in the image's own scale. */
  readonly threshold: number;
  /** 'bright': foreground where the value is at least the threshold; 'dark': where it is at most the threshold. */
  readonly polarity: Polarity;
}

/** Scores of one threshold for every image. */
export interface ThresholdScores extends TrivialScores, ThresholdRule {}

/** What the trivial predictors learn from training samples. */
export interface TrivialRules {
  readonly otsu: { readonly polarity: Polarity };
  readonly bestThreshold: ThresholdRule;
}

/** The grey values of an image: the mean of its channels. */
function greyValues(sample: TrivialSample): Float32Array {
  const { image, channels, width, height, mask } = sample;
  const pixels = width * height;
  if (image.length !== pixels * channels || mask.length !== pixels) {
    throw new InvalidArgumentError(
      `metrics: a sample of ${width}x${height} pixels and ${channels} channels needs ${pixels * channels} values and ` +
        `${pixels} labels. Received: ${image.length} values and ${mask.length} labels.`,
    );
  }
  if (channels === 1) return image;
  const grey = new Float32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += image[i * channels + channel];
    grey[i] = sum / channels;
  }
  return grey;
}

/** Counts of the foreground over all samples, for a rule that says which pixels are foreground. */
function foregroundCounts(
  samples: readonly TrivialSample[],
  ruleOf: (grey: Float32Array) => (value: number) => boolean,
): ClassCounts {
  let tp = 0;
  let fp = 0;
  let fn = 0;
  let tn = 0;
  for (const sample of samples) {
    const grey = greyValues(sample);
    const isForeground = ruleOf(grey);
    for (let i = 0; i < grey.length; i++) {
      const predicted = isForeground(grey[i]);
      if (sample.mask[i] !== 0) predicted ? tp++ : fn++;
      else predicted ? fp++ : tn++;
    }
  }
  return { tp, fp, fn, tn };
}

function requireSamples(name: string, samples: readonly TrivialSample[]): void {
  if (samples.length === 0) {
    throw new InvalidArgumentError(`metrics.${name} needs at least one sample. Received: none.`);
  }
}

/**
 * Scores the predictor that calls every pixel foreground.
 *
 * @param samples The samples to score.
 * @param emptyPolicy What a class scores that is nowhere. Default 'one'.
 * @returns Dice of the foreground and mean IoU over the set.
 * @throws InvalidArgumentError if there is no sample, or one whose arrays do not fit its size.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 * import { phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * const { dice } = metrics.allForeground(samples);
 * console.log(dice);
 * ```
 */
export function allForeground(samples: readonly TrivialSample[], emptyPolicy: EmptyPolicy = 'one'): TrivialScores {
  requireSamples('allForeground', samples);
  return foregroundScores(
    foregroundCounts(samples, () => () => true),
    emptyPolicy,
  );
}

const otsuRule = (polarity: Polarity) => (grey: Float32Array) => {
  const threshold = otsuThreshold(grey);
  return polarity === 'bright' ? (value: number) => value > threshold : (value: number) => value <= threshold;
};

/**
 * Chooses whether Otsu's bright or dark side is the foreground: the one with the larger Dice over the training samples.
 *
 * @param training The samples to choose on.
 * @returns The polarity.
 * @throws InvalidArgumentError if there is no sample, or one whose arrays do not fit its size.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 * import { phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * console.log(metrics.chooseOtsuPolarity(samples)); // dark
 * ```
 */
export function chooseOtsuPolarity(training: readonly TrivialSample[]): Polarity {
  requireSamples('chooseOtsuPolarity', training);
  // One pass: what bright calls foreground dark calls background.
  const bright = foregroundCounts(training, otsuRule('bright'));
  const dark = { tp: bright.fn, fp: bright.tn, fn: bright.tp, tn: bright.fp };
  const diceOf = (counts: ClassCounts) => scoresOf(counts, 'one').dice ?? 0;
  return diceOf(bright) >= diceOf(dark) ? 'bright' : 'dark';
}

/**
 * Scores Otsu's threshold of each image.
 *
 * @param polarity Which side is foreground, as {@link chooseOtsuPolarity} found on the training samples.
 * @param samples The samples to score.
 * @param emptyPolicy What a class scores that is nowhere. Default 'one'.
 * @returns Dice, mean IoU and the polarity.
 * @throws InvalidArgumentError if there is no sample, or one whose arrays do not fit its size.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 * import { phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * const polarity = metrics.chooseOtsuPolarity(samples.slice(0, 2));
 * console.log(metrics.otsu(polarity, samples.slice(2)).dice);
 * ```
 */
export function otsu(
  polarity: Polarity,
  samples: readonly TrivialSample[],
  emptyPolicy: EmptyPolicy = 'one',
): OtsuScores {
  requireSamples('otsu', samples);
  return { ...foregroundScores(foregroundCounts(samples, otsuRule(polarity)), emptyPolicy), polarity };
}

/** Finer than 16-bit images need; the threshold itself is a value that occurs, so binning never moves a pixel. */
const THRESHOLD_BINS = 65_536;

/** Pixels of each class by grey value, in bins that keep the order of values. */
class GreyHistogram {
  readonly foreground = new Float64Array(THRESHOLD_BINS);
  readonly background = new Float64Array(THRESHOLD_BINS);
  readonly smallest = new Float32Array(THRESHOLD_BINS).fill(Number.POSITIVE_INFINITY);
  readonly largest = new Float32Array(THRESHOLD_BINS).fill(Number.NEGATIVE_INFINITY);

  constructor(samples: readonly TrivialSample[]) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const sample of samples) {
      for (const value of greyValues(sample)) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const scale = high > low ? (THRESHOLD_BINS - 1) / (high - low) : 0;
    for (const sample of samples) {
      const grey = greyValues(sample);
      for (let i = 0; i < grey.length; i++) {
        const value = grey[i];
        const bin = Math.floor((value - low) * scale);
        if (sample.mask[i] !== 0) this.foreground[bin]++;
        else this.background[bin]++;
        if (value < this.smallest[bin]) this.smallest[bin] = value;
        if (value > this.largest[bin]) this.largest[bin] = value;
      }
    }
  }
}

/**
 * Chooses the one threshold and polarity with the largest Dice over the training samples.
 *
 * @param training The samples to choose on.
 * @returns The rule; of equals the first, from bright downwards.
 * @throws InvalidArgumentError if there is no sample, or one whose arrays do not fit its size.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 * import { phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * const { threshold, polarity } = metrics.chooseThreshold(samples);
 * console.log(threshold, polarity);
 * ```
 */
export function chooseThreshold(training: readonly TrivialSample[]): ThresholdRule {
  requireSamples('chooseThreshold', training);
  const histogram = new GreyHistogram(training);
  const positives = histogram.foreground.reduce((sum, count) => sum + count, 0);
  const occupied = Array.from({ length: THRESHOLD_BINS }, (_, bin) => bin).filter(
    (bin) => histogram.foreground[bin] + histogram.background[bin] > 0,
  );
  let best: ThresholdRule & { dice: number } = { threshold: 0, polarity: 'bright', dice: -1 };
  for (const polarity of ['bright', 'dark'] as const) {
    let tp = 0;
    let fp = 0;
    for (const bin of polarity === 'bright' ? [...occupied].reverse() : occupied) {
      tp += histogram.foreground[bin];
      fp += histogram.background[bin];
      const dice = (2 * tp) / (tp + fp + positives);
      const threshold = polarity === 'bright' ? histogram.smallest[bin] : histogram.largest[bin];
      if (dice > best.dice) best = { threshold, polarity, dice };
    }
  }
  return { threshold: best.threshold, polarity: best.polarity };
}

/**
 * Scores one threshold for all images.
 *
 * @param rule Threshold and polarity, as {@link chooseThreshold} found on the training samples.
 * @param samples The samples to score.
 * @param emptyPolicy What a class scores that is nowhere. Default 'one'.
 * @returns Dice, mean IoU, threshold and polarity.
 * @throws InvalidArgumentError if there is no sample, or one whose arrays do not fit its size.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 * import { phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * const rule = metrics.chooseThreshold(samples.slice(0, 2));
 * console.log(metrics.bestThreshold(rule, samples.slice(2)).dice);
 * ```
 */
export function bestThreshold(
  { threshold, polarity }: ThresholdRule,
  samples: readonly TrivialSample[],
  emptyPolicy: EmptyPolicy = 'one',
): ThresholdScores {
  requireSamples('bestThreshold', samples);
  const isForeground =
    polarity === 'bright' ? (value: number) => value >= threshold : (value: number) => value <= threshold;
  return {
    ...foregroundScores(
      foregroundCounts(samples, () => isForeground),
      emptyPolicy,
    ),
    threshold,
    polarity,
  };
}

/**
 * What the trivial predictors learn: chosen once on the training samples, kept with the run, and scored on any others.
 *
 * @param training The samples to choose on.
 * @returns Otsu's polarity, and the best threshold with its polarity.
 * @throws InvalidArgumentError if there is no sample, or one whose arrays do not fit its size.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 * import { phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * const rules = metrics.chooseTrivialRules(samples);
 * console.log(rules.otsu.polarity); // dark
 * ```
 */
export function chooseTrivialRules(training: readonly TrivialSample[]): TrivialRules {
  return { otsu: { polarity: chooseOtsuPolarity(training) }, bestThreshold: chooseThreshold(training) };
}

/**
 * The three trivial predictors side by side, as `evaluate` reports them.
 *
 * @param rules What {@link chooseTrivialRules} found on the training samples.
 * @param samples The samples to score.
 * @param emptyPolicy What a class scores that is nowhere. Default 'one'.
 * @returns `{allForeground, otsu, bestThreshold}`.
 * @throws InvalidArgumentError if there is no sample, a sample's arrays do not fit its size, or the policy is illegal.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 * import { phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples } = prepareSamples(phantom('lung', { count: 4, size: 32 }));
 * const rules = metrics.chooseTrivialRules(samples.slice(0, 2));
 * const trivial = metrics.trivialPredictors(rules, samples.slice(2));
 * console.log(trivial.allForeground.dice, trivial.otsu.dice, trivial.bestThreshold.dice);
 * ```
 */
export function trivialPredictors(
  rules: TrivialRules,
  samples: readonly TrivialSample[],
  emptyPolicy: EmptyPolicy = 'one',
): TrivialReport {
  requireOneOf('metrics.trivialPredictors', 'emptyPolicy', emptyPolicy, ['one', 'zero', 'ignore']);
  return {
    allForeground: allForeground(samples, emptyPolicy),
    otsu: otsu(rules.otsu.polarity, samples, emptyPolicy),
    bestThreshold: bestThreshold(rules.bestThreshold, samples, emptyPolicy),
  };
}
