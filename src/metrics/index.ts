/** Metrics of segmentations: overlap, boundaries, confidence, and the trivial predictors to compare with. */

export {
  type BootstrapOptions,
  bootstrapInterval,
  type CountedImage,
  type DiceConfidence,
  diceConfidence,
} from './confidence.js';
export {
  type ClassScores,
  ConfusionMatrix,
  type ConfusionMatrixOptions,
  type EmptyCases,
  type ReadingOptions,
  type SegmentationScores,
} from './confusionMatrix.js';
export { type HausdorffOptions, hausdorffDistance, hausdorffDistance95 } from './hausdorff.js';
export { dice, type Metric, type MetricOptions, meanIoU } from './kerasMetrics.js';
export type { Values } from './labels.js';
export { missedObjects, type ObjectCounts, type ObjectOptions } from './objects.js';
export { otsuThreshold } from './otsu.js';
export { percentile } from './percentile.js';
export type { Aggregation, ClassCounts, ClassSelection, EmptyPolicy, ForegroundScores, Scores } from './scores.js';
export type { BinaryMask } from './surface.js';
export { type SurfaceDiceOptions, surfaceDice } from './surfaceDice.js';
export {
  allForeground,
  bestThreshold,
  chooseOtsuPolarity,
  chooseThreshold,
  chooseTrivialRules,
  type OtsuScores,
  otsu,
  type Polarity,
  type ThresholdRule,
  type ThresholdScores,
  type TrivialReport,
  type TrivialRules,
  type TrivialSample,
  type TrivialScores,
  trivialPredictors,
} from './trivial.js';
