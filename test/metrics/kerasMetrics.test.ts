import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfusionMatrix, dice, type MetricOptions, meanIoU } from '../../src/metrics/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { describeBackends } from '../backends.js';

describeBackends('metrics for compile', () => {
  it('equal the confusion matrix of the same batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 3),
        fc.integer({ min: 1, max: 3 }),
        fc.record({
          threshold: fc.constantFrom(0.3, 0.5, 0.9),
          fromLogits: fc.boolean(),
          aggregation: fc.constantFrom('dataset' as const, 'image' as const),
          classes: fc.constantFrom('all' as const, 'foreground' as const),
          emptyPolicy: fc.constantFrom('one' as const, 'zero' as const, 'ignore' as const),
        }),
        fc.nat(1000),
        async (numClasses, images, options, salt) => {
          const random = (i: number) => Math.abs(Math.sin(salt * 7.13 + i * 12.9898) * 43758.5453) % 1;
          const pixels = images * 6;
          // Every third image is background alone, so that the empty policy counts.
          const labels = Array.from({ length: pixels }, (_, i) =>
            Math.floor(i / 6) % 3 === 0 ? 0 : Math.floor(random(i) * Math.max(2, numClasses)),
          );
          const values = Array.from({ length: pixels * numClasses }, (_, i) => {
            const p = Math.floor(i / 6 / numClasses) % 3 === 0 ? random(-i) * 0.28 : random(-i);
            return options.fromLogits ? Math.log(p / (1 - p)) : p;
          });
          const yTrue = tf.tensor4d(labels, [images, 2, 3, 1]);
          const yPred = tf.tensor4d(values, [images, 2, 3, numClasses]);
          const before = tf.memory().numTensors;
          const matrix = new ConfusionMatrix({ numClasses, ...options });
          await matrix.update(yTrue, yPred);
          const expected = matrix.result();
          for (const [metric, value] of [
            [meanIoU(options), expected.meanIoU],
            [dice(options), expected.dice],
          ] as const) {
            const result = metric(yTrue, yPred);
            const [received] = await result.data();
            result.dispose();
            if (value === null) expect(received).toBeNaN();
            else expect(received).toBeCloseTo(value, 5);
          }
          expect(tf.memory().numTensors).toBe(before);
          tf.dispose([yTrue, yPred]);
        },
      ),
      { numRuns: 80, seed: 5 },
    );
  });

  it('default to all classes for meanIoU, the foreground for dice, and p >= 0.5', async () => {
    const yTrue = tf.tensor4d([1, 1, 0, 0], [1, 2, 2, 1]);
    const yPred = tf.tensor4d([0.5, 0.4, 0.1, 0.1], [1, 2, 2, 1]);
    const [m, d] = [meanIoU()(yTrue, yPred), dice()(yTrue, yPred)];
    expect((await m.data())[0]).toBeCloseTo((1 / 2 + 2 / 3) / 2, 6);
    expect((await d.data())[0]).toBeCloseTo(2 / 3, 6);
    tf.dispose([yTrue, yPred, m, d]);
  });

  it('appear in a history under their names', async () => {
    const model = tfl.sequential({
      layers: [tfl.layers.dense({ inputShape: [2, 2, 1], units: 1, activation: 'sigmoid', kernelInitializer: 'ones' })],
    });
    model.compile({ optimizer: tf.train.sgd(0), loss: 'binaryCrossentropy', metrics: [meanIoU(), dice()] });
    const x = tf.tensor4d([3, -3, 3, -3], [1, 2, 2, 1]);
    const y = tf.tensor4d([1, 0, 0, 0], [1, 2, 2, 1]);
    const history = await model.fit(x, y, { epochs: 1, verbose: 0 });
    expect(Object.keys(history.history).sort()).toEqual(['dice', 'loss', 'meanIoU']);
    expect(Number(history.history.dice[0])).toBeCloseTo(2 / 3, 6);
    model.dispose();
    tf.dispose([x, y]);
  });

  it('say which shapes do not fit', () => {
    expect(() => tf.tidy(() => dice()(tf.zeros([1, 2, 2, 2]), tf.zeros([1, 2, 2, 3])))).toThrow(
      new InvalidArgumentError(
        'metrics.dice: yTrue must be the pixels of yPred with 1 channel (labels) or as many as yPred (one-hot). Received: yTrue [1, 2, 2, 2], yPred [1, 2, 2, 3].',
      ),
    );
  });
});

describe('metrics for compile: bad options', () => {
  it('are named', () => {
    expect(() => meanIoU({ threshold: -0.1 })).toThrow(
      'metrics.meanIoU: threshold must be a probability from 0 to 1. Received: threshold=-0.1.',
    );
    const illegal = JSON.parse('{"classes": "fg"}') as MetricOptions;
    expect(() => dice(illegal)).toThrow(
      "metrics.dice: classes must be one of 'all', 'foreground'. Received: classes='fg'.",
    );
  });
});
