/** Misspelt options of metrics. */
import { expect, test } from 'vitest';
import * as metrics from '../../src/metrics/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';

const mask = { data: Uint8Array.of(0, 1, 1, 0), width: 2, height: 2 };
const matrix = new metrics.ConfusionMatrix();
const images = [1, 2].map((tp) => ({ counts: [{ tp, fp: 0, fn: 0, tn: 0 }] }));
const keras = 'threshold, fromLogits, classes, aggregation, emptyPolicy';

const calls: readonly (readonly [string, (options: object) => unknown, string])[] = [
  ['metrics.dice', metrics.dice, keras],
  ['metrics.meanIoU', metrics.meanIoU, keras],
  ['metrics.hausdorffDistance', (o) => metrics.hausdorffDistance(mask, mask, o), 'percentile, emptyPolicy'],
  ['metrics.hausdorffDistance95', (o) => metrics.hausdorffDistance95(mask, mask, o), 'emptyPolicy'],
  ['metrics.surfaceDice', (o) => metrics.surfaceDice(mask, mask, o), 'tolerance, emptyPolicy'],
  [
    'metrics.missedObjects',
    (o) => metrics.missedObjects(mask.data, mask.data, { width: 2, height: 2, ...o }),
    'width, height, connectivity',
  ],
  ['metrics.bootstrapInterval', (o) => metrics.bootstrapInterval(3, () => 1, o), 'level, resamples, seed'],
  ['metrics.diceConfidence', (o) => metrics.diceConfidence(images, o), 'level, resamples, seed, emptyPolicy'],
  [
    'ConfusionMatrix',
    (o) => new metrics.ConfusionMatrix(o),
    'numClasses, threshold, fromLogits, emptyPolicy, classes, aggregation',
  ],
  ['ConfusionMatrix.result', (o) => matrix.result(o), 'emptyPolicy, classes, aggregation'],
  ['ConfusionMatrix.perImage', (o) => matrix.perImage(o), 'emptyPolicy, classes'],
];

test.each(calls)('%s refuses an option that it does not know', (title, call, known) => {
  expect(() => call({ tresh: 1 })).toThrow(
    new InvalidArgumentError(`${title} has no option 'tresh'. Its options are ${known}.`),
  );
});
