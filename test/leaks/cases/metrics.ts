/** Leak cases of the metrics: those that take tensors, and one line for each that takes plain arrays. */
import * as tf from '@tensorflow/tfjs-core';
import { metrics } from '../../../src/index.js';
import { sample } from '../inputs.js';
import type { LeakCases } from '../leakCase.js';

function exercise(metric: metrics.Metric): void {
  const [labels, binary, classes] = [tf.ones([2, 4, 4, 1]), tf.ones([2, 4, 4, 1]), tf.ones([2, 4, 4, 3])];
  tf.dispose([metric(labels, binary), metric(labels, classes), labels, binary, classes]);
}

const counts = { tp: 3, fp: 1, fn: 2, tn: 10 };
const mask = { width: 4, height: 1, data: Uint8Array.of(0, 1, 1, 0) };
const rule = { threshold: 0, polarity: 'bright' } as const;

export const cases: LeakCases = {
  meanIoU: () => exercise(metrics.meanIoU()),
  dice: () => exercise(metrics.dice({ aggregation: 'image', emptyPolicy: 'ignore' })),
  ConfusionMatrix: async () => {
    const matrix = new metrics.ConfusionMatrix({ numClasses: 3 });
    const [labels, probability] = [tf.ones([2, 4, 4, 1]), tf.fill([2, 4, 4, 3], 1 / 3)];
    await matrix.update(labels, probability);
    await matrix.update(Uint8Array.of(0, 1), Uint8Array.of(1, 1));
    tf.dispose([labels, probability]);
    matrix.result({ classes: 'all' });
    matrix.perImage();
    matrix.perImageCounts();
    matrix.reset();
  },
  bootstrapInterval: () => metrics.bootstrapInterval(3, (indices) => indices[0] ?? null, { resamples: 10 }),
  diceConfidence: () => metrics.diceConfidence([{ counts: [counts] }, { counts: [counts] }], { resamples: 10 }),
  hausdorffDistance: () => metrics.hausdorffDistance(mask, mask),
  hausdorffDistance95: () => metrics.hausdorffDistance95(mask, mask),
  surfaceDice: () => metrics.surfaceDice(mask, mask),
  missedObjects: () => metrics.missedObjects(mask.data, mask.data, { width: 4, height: 1 }),
  otsuThreshold: () => metrics.otsuThreshold(sample().image),
  percentile: () => metrics.percentile([1, 2, 3], 50),
  allForeground: () => metrics.allForeground([sample()]),
  chooseOtsuPolarity: () => metrics.chooseOtsuPolarity([sample()]),
  otsu: () => metrics.otsu('bright', [sample()]),
  chooseThreshold: () => metrics.chooseThreshold([sample()]),
  bestThreshold: () => metrics.bestThreshold(rule, [sample()]),
  chooseTrivialRules: () => metrics.chooseTrivialRules([sample()]),
  trivialPredictors: () => metrics.trivialPredictors({ otsu: { polarity: 'bright' }, bestThreshold: rule }, [sample()]),
};
