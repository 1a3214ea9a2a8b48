/** A confusion matrix that adds up over batches, and the scores that are read off it. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import { receivedText } from '../runtime/sentences.js';
import { checkKeys } from '../spec/index.js';
import { countPairs, labelsAsGiven, labelsFromChannels, labelsFromThreshold, type Values } from './labels.js';
import {
  type Aggregation,
  addCounts,
  type ClassCounts,
  type ClassSelection,
  type EmptyPolicy,
  type ForegroundScores,
  foregroundFrom,
  foregroundScores,
  isEmpty,
  meanScores,
  requirePolicies,
  requireThreshold,
  type Scores,
  scoresOf,
} from './scores.js';

const READING = ['emptyPolicy', 'classes', 'aggregation'];

/** How a result is read off the counts. */
export interface ReadingOptions {
  /** Default 'one'. */
  readonly emptyPolicy?: EmptyPolicy;
  /** Which classes the means run over. Default 'all'. */
  readonly classes?: ClassSelection;
  /** Default 'dataset'. */
  readonly aggregation?: Aggregation;
}

/** Options of a confusion matrix. */
export interface ConfusionMatrixOptions extends ReadingOptions {
  /** As the models count: 1 or 2 with one channel is background and foreground. Default 1. */
  readonly numClasses?: number;
  /** A pixel is foreground where its probability is at least this; one channel only. Default 0.5. */
  readonly threshold?: number;
  /** Whether float predictions are logits. Default false. */
  readonly fromLogits?: boolean;
}

/** How much the empty policy touched. */
export interface EmptyCases {
  /** Images with a class that neither truth nor prediction holds; 0 for aggregation 'dataset'. */
  readonly images: number;
  /** Such classes: over the whole set for aggregation 'dataset', else counted in each image. */
  readonly classes: number;
}

/** The scores of one class. */
export interface ClassScores extends Scores {
  /** The label; 0 is the background. */
  readonly class: number;
}

/** Scores, with everything that says how they were counted. */
export interface SegmentationScores {
  /** Classes of the matrix, background included. */
  readonly numClasses: number;
  /** Images added so far. */
  readonly images: number;
  /** Threshold on the foreground's probability; null where the largest channel or a label decided. */
  readonly threshold: number | null;
  /** Whether counts or scores were put together over images. */
  readonly aggregation: Aggregation;
  /** The classes of the means. */
  readonly classes: ClassSelection;
  /** What a class scored that neither truth nor prediction holds. */
  readonly emptyPolicy: EmptyPolicy;
  /** What the empty policy touched among the classes of the means. */
  readonly emptyCases: EmptyCases;
  /** Mean IoU over the classes. */
  readonly meanIoU: number | null;
  /** Mean Dice over the classes. */
  readonly dice: number | null;
  /** Mean precision over the classes. */
  readonly precision: number | null;
  /** Mean recall over the classes. */
  readonly recall: number | null;
  /** Mean specificity over the classes. */
  readonly specificity: number | null;
  /** Mean over the classes of the share of pixels that are right for that class. */
  readonly accuracy: number | null;
  /** Every class, the background too. */
  readonly perClass: readonly ClassScores[];
  /** `matrix[truth][prediction]` in pixels over all images. */
  readonly matrix: readonly (readonly number[])[];
}

const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`;
/** Refuses what holds no values: a segmentation, say, whose labels are its `mask`. */
function requireValues(name: string, values: unknown): void {
  if (ArrayBuffer.isView(values) || Array.isArray(values)) return;
  throw new InvalidArgumentError(
    `ConfusionMatrix.update: ${name} must be a tensor or a typed array of labels or probabilities. Received: ${receivedText(values)}. Of what predictMask returns give its mask.`,
  );
}

const holdsLabels = (values: Values) => !(values instanceof Float32Array);

/**
 * Counts pixels over batches and gives IoU, Dice, precision, recall, specificity and accuracy per class and as means.
 * Means are over images per class first (aggregation 'image'), then over classes.
 * Works with tensors of any backend and with plain arrays; counts are exact at any size.
 *
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 *
 * const matrix = new metrics.ConfusionMatrix();
 * await matrix.update(Uint8Array.of(0, 1, 1, 0), Float32Array.of(0.1, 0.9, 0.4, 0.2));
 * console.log(matrix.result().meanIoU); // 0.5833333333333333
 * console.log(matrix.result({ classes: 'foreground' }).dice); // 0.6666666666666666
 * ```
 */
export class ConfusionMatrix {
  /** Classes of the matrix, background included. */
  readonly numClasses: number;
  private readonly threshold: number;
  private readonly least: number;
  private readonly reading: Required<ReadingOptions>;
  private counts: Float64Array[] = [];
  private usedThreshold = false;

  /**
   * @param options See `ConfusionMatrixOptions`; every one has a default.
   * @throws InvalidArgumentError for an illegal option.
   */
  constructor(options: ConfusionMatrixOptions = {}) {
    checkKeys('ConfusionMatrix', options, ['numClasses', 'threshold', 'fromLogits', ...READING]);
    const { numClasses = 1, threshold = 0.5, fromLogits = false } = options;
    if (!Number.isInteger(numClasses) || numClasses < 1 || numClasses > 256) {
      throw new InvalidArgumentError(
        `ConfusionMatrix: numClasses must be an integer from 1 to 256. Received: numClasses=${numClasses}.`,
      );
    }
    requireThreshold('ConfusionMatrix', threshold);
    this.numClasses = Math.max(2, numClasses);
    this.threshold = threshold;
    this.least = foregroundFrom(threshold, fromLogits);
    this.reading = readingWith({ emptyPolicy: 'one', classes: 'all', aggregation: 'dataset' }, options);
  }

  /**
   * Adds a batch of tensors or one image of plain arrays.
   *
   * @param yTrue Tensor [N, ..., 1] of labels 0..C-1 or [N, ..., C] one-hot; or an array of one image's labels.
   * @param yPred Tensor of the same pixels: float32 with 1 channel (probability of the foreground) or C channels (the
   *   largest wins), int32 or bool with 1 channel (labels). Or an array of one image: Float32Array holds probabilities
   *   (channels innermost), integer arrays hold labels.
   * @returns When the counts are in; await it before the next call, so that images keep their order.
   * @throws InvalidArgumentError if shapes do not fit, a label is out of range or a prediction is NaN; nothing is added.
   */
  async update(yTrue: tf.Tensor | Values, yPred: tf.Tensor | Values): Promise<void> {
    if (yTrue instanceof tf.Tensor && yPred instanceof tf.Tensor) {
      this.requireTensorShapes(yTrue.shape, yPred.shape);
      const [truth, prediction] = await Promise.all([yTrue.data(), yPred.data()]);
      const isLabels = yPred.dtype !== 'float32';
      this.add(truth, prediction, yTrue.shape[0], yTrue.shape[yTrue.rank - 1], isLabels);
      return;
    }
    if (yTrue instanceof tf.Tensor || yPred instanceof tf.Tensor) {
      throw new InvalidArgumentError(
        `ConfusionMatrix.update: yTrue and yPred must both be tensors or both be arrays. Received: yTrue ${
          yTrue instanceof tf.Tensor ? 'a tensor' : 'an array'
        }, yPred ${yPred instanceof tf.Tensor ? 'a tensor' : 'an array'}.`,
      );
    }
    requireValues('yTrue', yTrue);
    requireValues('yPred', yPred);
    this.add(yTrue, yPred, 1, 1, holdsLabels(yPred));
  }

  private requireTensorShapes(truth: readonly number[], prediction: readonly number[]): void {
    const last = truth.length - 1;
    const pixelsFit =
      truth.length === prediction.length &&
      last >= 1 &&
      truth.slice(0, -1).every((size, axis) => size === prediction[axis]);
    const legalChannels = [1, this.numClasses];
    if (!pixelsFit || !legalChannels.includes(truth[last]) || !legalChannels.includes(prediction[last])) {
      throw new InvalidArgumentError(
        `ConfusionMatrix.update: yTrue and yPred must be [N, ..., 1 or ${this.numClasses}] with the same pixels. ` +
          `Received: yTrue ${shapeText(truth)}, yPred ${shapeText(prediction)}.`,
      );
    }
  }

  private add(truth: Values, prediction: Values, images: number, truthChannels: number, isLabels: boolean): void {
    const trueLabels =
      truthChannels === 1
        ? labelsAsGiven('yTrue', truth, this.numClasses)
        : labelsFromChannels('yTrue', truth, truthChannels);
    const channels = prediction.length / trueLabels.length;
    const legal = isLabels || this.numClasses > 2 ? [isLabels ? 1 : this.numClasses] : [1, this.numClasses];
    if (trueLabels.length === 0 || !legal.includes(channels)) {
      throw new InvalidArgumentError(
        `ConfusionMatrix.update: for ${trueLabels.length} pixels and ${this.numClasses} classes yPred must hold ` +
          `${legal.map((c) => c * trueLabels.length).join(' or ')} ${isLabels ? 'labels' : 'probabilities'}. ` +
          `Received: ${prediction.length}.`,
      );
    }
    const predicted = this.predictedLabels(prediction, channels, isLabels);
    const pixels = trueLabels.length / images;
    for (let image = 0; image < images; image++) {
      const range = { begin: image * pixels, end: (image + 1) * pixels };
      this.counts.push(countPairs(trueLabels, predicted, this.numClasses, range));
    }
    if (!isLabels && channels === 1) this.usedThreshold = true;
  }

  private predictedLabels(prediction: Values, channels: number, isLabels: boolean): Uint8Array {
    if (isLabels) return labelsAsGiven('yPred', prediction, this.numClasses);
    if (channels === 1) return labelsFromThreshold('yPred', prediction, this.least);
    return labelsFromChannels('yPred', prediction, channels);
  }

  /** Forgets every image. */
  reset(): void {
    this.counts = [];
    this.usedThreshold = false;
  }

  /**
   * The scores of all images added so far.
   *
   * @param options Another reading of the same counts; default: the constructor's.
   * @returns Scores and how they were counted.
   * @throws InvalidArgumentError for an illegal option, or if no image was added.
   */
  result(options: ReadingOptions = {}): SegmentationScores {
    checkKeys('ConfusionMatrix.result', options, READING);
    const { emptyPolicy, classes, aggregation } = readingWith(this.reading, options);
    this.requireImages();
    const perImage = this.counts.map((counts) => this.allClasses(counts));
    const numbers = Array.from({ length: this.numClasses }, (_, label) => label);
    const total = numbers.map((label) => addCounts(perImage.map((image) => image[label])));
    const units = aggregation === 'dataset' ? [total] : perImage;
    const perClass = numbers.map((label) => ({
      class: label,
      ...meanScores(units.map((unit) => scoresOf(unit[label], emptyPolicy))),
    }));
    const first = classes === 'all' ? 0 : 1;
    const emptyPerUnit = units.map((unit) => unit.slice(first).filter(isEmpty).length);
    const { iou, ...means } = meanScores(perClass.slice(first));
    return {
      numClasses: this.numClasses,
      images: this.counts.length,
      threshold: this.usedThreshold ? this.threshold : null,
      aggregation,
      classes,
      emptyPolicy,
      emptyCases: {
        images: aggregation === 'dataset' ? 0 : emptyPerUnit.filter((count) => count > 0).length,
        classes: emptyPerUnit.reduce((sum, count) => sum + count, 0),
      },
      meanIoU: iou,
      ...means,
      perClass,
      matrix: numbers.map((truth) =>
        numbers.map((prediction) =>
          this.counts.reduce((sum, counts) => sum + counts[truth * this.numClasses + prediction], 0),
        ),
      ),
    };
  }

  /**
   * The scores of each image, in the order in which the images were added, as means over the chosen classes.
   *
   * @param options `classes` and `emptyPolicy`; default: the constructor's.
   * @returns One entry per image.
   * @throws InvalidArgumentError for an illegal option.
   */
  perImage(options: Omit<ReadingOptions, 'aggregation'> = {}): Scores[] {
    checkKeys('ConfusionMatrix.perImage', options, ['emptyPolicy', 'classes']);
    const { emptyPolicy, classes } = readingWith(this.reading, options);
    return this.perImageCounts(classes).map((image) =>
      meanScores(image.map((counts) => scoresOf(counts, emptyPolicy))),
    );
  }

  /**
   * All classes above 0 as one foreground against the background, over the whole set: of several classes the scores that
   * compare with a binary network's, and with the trivial predictors'.
   *
   * @param emptyPolicy What a set without any foreground scores; default: the constructor's.
   * @returns Dice of the foreground, mean IoU of background and foreground.
   * @throws InvalidArgumentError for an illegal policy, or if no image was added.
   */
  foreground(emptyPolicy: EmptyPolicy = this.reading.emptyPolicy): ForegroundScores {
    requirePolicies('ConfusionMatrix', { ...this.reading, emptyPolicy });
    this.requireImages();
    const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
    for (const image of this.counts) {
      image.forEach((count, pair) => {
        const isTrue = pair >= this.numClasses;
        const isPredicted = pair % this.numClasses > 0;
        counts[isTrue ? (isPredicted ? 'tp' : 'fn') : isPredicted ? 'fp' : 'tn'] += count;
      });
    }
    return foregroundScores(counts, emptyPolicy);
  }

  /**
   * The counts of each image and class: what an interval over images or groups is computed from.
   *
   * @param classes Default 'foreground': without class 0.
   * @returns `counts[image][class]`.
   */
  perImageCounts(classes: ClassSelection = 'foreground'): ClassCounts[][] {
    return this.counts.map((counts) => this.allClasses(counts).slice(classes === 'all' ? 0 : 1));
  }

  private allClasses(counts: Float64Array): ClassCounts[] {
    const size = this.numClasses;
    const pixels = counts.reduce((sum, count) => sum + count, 0);
    return Array.from({ length: size }, (_, label) => {
      let truth = 0;
      let predicted = 0;
      for (let other = 0; other < size; other++) {
        truth += counts[label * size + other];
        predicted += counts[other * size + label];
      }
      const tp = counts[label * size + label];
      return { tp, fp: predicted - tp, fn: truth - tp, tn: pixels - truth - predicted + tp };
    });
  }

  private requireImages(): void {
    if (this.counts.length === 0) {
      throw new InvalidArgumentError(
        'ConfusionMatrix.result needs at least one image. Received: none. Call and await update first.',
      );
    }
  }
}

function readingWith(defaults: Required<ReadingOptions>, options: ReadingOptions): Required<ReadingOptions> {
  const reading = {
    emptyPolicy: options.emptyPolicy ?? defaults.emptyPolicy,
    classes: options.classes ?? defaults.classes,
    aggregation: options.aggregation ?? defaults.aggregation,
  };
  requirePolicies('ConfusionMatrix', reading);
  return reading;
}
