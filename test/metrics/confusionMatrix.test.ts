import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfusionMatrix, type Scores, type SegmentationScores } from '../../src/metrics/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { describeBackends } from '../backends.js';
import { oracle } from './oracle.js';

const listOf = (s: Scores) => [s.iou, s.dice, s.precision, s.recall, s.specificity, s.accuracy];
const meansOf = (r: SegmentationScores) => [r.meanIoU, r.dice, r.precision, r.recall, r.specificity, r.accuracy];

function expectClose(received: readonly (number | null)[], expected: readonly number[]) {
  expect(received.length).toBe(expected.length);
  received.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 12);
  });
}

describe('ConfusionMatrix', () => {
  it.each(oracle.overlap.map((entry) => [entry.numClasses, entry] as const))(
    'equals scikit-learn for %i classes under every policy, aggregation and selection',
    async (numClasses, entry) => {
      const matrix = new ConfusionMatrix({ numClasses });
      for (let i = 0; i < entry.truth.length; i++) {
        await matrix.update(Uint8Array.from(entry.truth[i]), Uint8Array.from(entry.prediction[i]));
      }
      expect(entry.readings.length).toBe(6);
      for (const { emptyPolicy, aggregation, perClass, all, foreground } of entry.readings) {
        const result = matrix.result({ emptyPolicy, aggregation });
        perClass.forEach((expected, label) => {
          expectClose(listOf(result.perClass[label]), expected);
        });
        expectClose(meansOf(result), all);
        expectClose(meansOf(matrix.result({ emptyPolicy, aggregation, classes: 'foreground' })), foreground);
      }
    },
  );

  it('takes all classes above 0 as one foreground: as a binary matrix of labels cut to 0 and 1', async () => {
    const labels = fc.uint8Array({ minLength: 12, maxLength: 12, max: 3 });
    const images = fc.array(fc.tuple(labels, labels), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(images, fc.constantFrom('one', 'zero', 'ignore'), async (pairs, emptyPolicy) => {
        const matrix = new ConfusionMatrix({ numClasses: 4, emptyPolicy });
        const binary = new ConfusionMatrix();
        for (const [truth, prediction] of pairs) {
          await matrix.update(truth, prediction);
          await binary.update(
            truth.map((label) => Math.min(label, 1)),
            prediction.map((label) => Math.min(label, 1)),
          );
        }
        const { dice } = binary.result({ emptyPolicy, classes: 'foreground' });
        const { meanIoU } = binary.result({ emptyPolicy, classes: 'all' });
        expect(matrix.foreground()).toEqual({ dice, meanIoU });
      }),
      { numRuns: 60, seed: 1 },
    );
    const matrix = new ConfusionMatrix({ numClasses: 3 });
    expect(() => matrix.foreground()).toThrow('needs at least one image');
    // A wrong class within the foreground counts as right.
    await matrix.update(Uint8Array.of(0, 1, 2, 2), Uint8Array.of(0, 2, 1, 0));
    expect(matrix.foreground()).toEqual({ dice: 0.8, meanIoU: (1 / 2 + 2 / 3) / 2 });
    expect(() => matrix.foreground('some' as 'one')).toThrow("emptyPolicy must be one of 'one', 'zero', 'ignore'");
  });

  it('states how it counted, and how many images and classes the empty policy touched', async () => {
    const matrix = new ConfusionMatrix({
      emptyPolicy: 'zero',
      aggregation: 'image',
      classes: 'foreground',
      threshold: 0.4,
    });
    await matrix.update(new Uint8Array([0, 0, 0, 0]), new Float32Array([0, 0.1, 0.2, 0.3]));
    await matrix.update(new Uint8Array([1, 1, 1, 1]), new Float32Array([1, 0.9, 0.8, 0.7]));
    await matrix.update(new Uint8Array([0, 1, 1, 0]), new Float32Array([0.1, 0.6, 0.1, 0.1]));
    expect(matrix.result()).toEqual({
      numClasses: 2,
      images: 3,
      threshold: 0.4,
      aggregation: 'image',
      classes: 'foreground',
      emptyPolicy: 'zero',
      emptyCases: { images: 1, classes: 1 },
      meanIoU: 0.5,
      dice: (0 + 1 + 2 / 3) / 3,
      precision: 2 / 3,
      recall: 0.5,
      specificity: 1,
      accuracy: (1 + 1 + 0.75) / 3,
      perClass: [
        {
          class: 0,
          iou: (1 + 0 + 2 / 3) / 3,
          dice: expect.closeTo((1 + 0 + 0.8) / 3),
          precision: expect.closeTo((1 + 2 / 3) / 3),
          recall: 2 / 3,
          specificity: expect.closeTo((1 + 1 + 0.5) / 3),
          accuracy: expect.closeTo(2.75 / 3),
        },
        {
          class: 1,
          iou: 0.5,
          dice: expect.closeTo((1 + 2 / 3) / 3),
          precision: 2 / 3,
          recall: 0.5,
          specificity: 1,
          accuracy: expect.closeTo(2.75 / 3),
        },
      ],
      matrix: [
        [6, 0],
        [1, 5],
      ],
    });
    expect(matrix.result({ classes: 'all' }).emptyCases).toEqual({ images: 2, classes: 2 });
    expect(matrix.result({ aggregation: 'dataset' }).emptyCases).toEqual({ images: 0, classes: 0 });
    expect(matrix.perImage().map((s) => s.dice)).toEqual([0, 1, 2 / 3]);
    expect(matrix.perImageCounts()).toEqual([
      [{ tp: 0, fp: 0, fn: 0, tn: 4 }],
      [{ tp: 4, fp: 0, fn: 0, tn: 0 }],
      [{ tp: 1, fp: 0, fn: 1, tn: 2 }],
    ]);
  });

  it('gives null where the policy ignores everything there is', async () => {
    const matrix = new ConfusionMatrix({ emptyPolicy: 'ignore', classes: 'foreground' });
    await matrix.update(new Uint8Array(4), new Uint8Array(4));
    const { dice, meanIoU, specificity, threshold, emptyCases } = matrix.result();
    expect({ dice, meanIoU, specificity, threshold, emptyCases }).toEqual({
      dice: null,
      meanIoU: null,
      specificity: 1,
      threshold: null,
      emptyCases: { images: 0, classes: 1 },
    });
  });

  it('takes p equal to the threshold for foreground, as float32 holds it', async () => {
    for (const [threshold, p] of [
      [0.5, 0.5],
      [0.3, Math.fround(0.3)],
      [0.7, Math.fround(0.7)],
    ]) {
      const matrix = new ConfusionMatrix({ threshold });
      await matrix.update(new Uint8Array([1, 0]), new Float32Array([p, p - 1e-6]));
      expect(matrix.result().meanIoU).toBe(1);
    }
    const logits = new ConfusionMatrix({ fromLogits: true });
    await logits.update(new Uint8Array([1, 0, 1]), new Float32Array([0, -1e-6, 3]));
    expect(logits.result().meanIoU).toBe(1);
  });

  it('adds up in any order and any batches to the same result', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
            fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
          ),
          {
            minLength: 1,
            maxLength: 6,
          },
        ),
        fc.constantFrom('dataset' as const, 'image' as const),
        fc.constantFrom('one' as const, 'zero' as const, 'ignore' as const),
        async (images, aggregation, emptyPolicy) => {
          const forward = new ConfusionMatrix({ numClasses: 3, aggregation, emptyPolicy });
          const backward = new ConfusionMatrix({ numClasses: 3, aggregation, emptyPolicy });
          for (const [t, p] of images) await forward.update(Uint8Array.from(t), Uint8Array.from(p));
          for (const [t, p] of [...images].reverse()) await backward.update(Int32Array.from(t), Uint8Array.from(p));
          const [a, b] = [forward.result(), backward.result()];
          expect(b.matrix).toEqual(a.matrix);
          expect(b.emptyCases).toEqual(a.emptyCases);
          meansOf(a).forEach((value, i) => {
            if (value === null) expect(meansOf(b)[i]).toBeNull();
            else expect(meansOf(b)[i]).toBeCloseTo(value, 12);
          });
        },
      ),
      { numRuns: 50, seed: 3 },
    );
  });

  it('forgets on reset', async () => {
    const matrix = new ConfusionMatrix();
    await matrix.update(new Uint8Array([1]), new Float32Array([0.2]));
    matrix.reset();
    await matrix.update(new Uint8Array([1]), new Uint8Array([1]));
    const { images, dice, threshold } = matrix.result();
    expect({ images, dice, threshold }).toEqual({ images: 1, dice: 1, threshold: null });
  });
});

describeBackends('ConfusionMatrix with tensors', () => {
  it('counts thresholds, channels, one-hot truth and labels as arrays do', async () => {
    const truth = [0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0];
    const p = [0.1, 0.5, 0.4, 0.6, 0.2, 0.9, 0.8, 0.7, 0.5, 0.1, 0.0, 0.49];
    const arrays = new ConfusionMatrix();
    for (const start of [0, 6]) {
      await arrays.update(Uint8Array.from(truth.slice(start, start + 6)), Float32Array.from(p.slice(start, start + 6)));
    }
    const shape: [number, number, number, number] = [2, 2, 3, 1];
    const yTrue = tf.tensor4d(truth, shape);
    const before = tf.memory().numTensors;
    const predictions = [
      tf.tensor4d(p, shape),
      tf.tensor4d(
        p.flatMap((value) => [Math.fround(1) - value - 1e-6, value]),
        [2, 2, 3, 2],
      ),
      tf.tensor4d(
        p.map((value) => (value >= 0.5 ? 1 : 0)),
        shape,
        'int32',
      ),
      tf.tensor4d(
        p.map((value) => value >= 0.5),
        shape,
        'bool',
      ),
    ];
    const oneHot = tf.tensor4d(
      truth.flatMap((label) => [1 - label, label]),
      [2, 2, 3, 2],
    );
    for (const yPred of predictions) {
      for (const y of [yTrue, oneHot]) {
        const matrix = new ConfusionMatrix({ numClasses: 2 });
        await matrix.update(y, yPred);
        expect(matrix.perImageCounts('all')).toEqual(arrays.perImageCounts('all'));
        expect(matrix.result().threshold).toBe(yPred === predictions[0] ? 0.5 : null);
      }
    }
    tf.dispose([...predictions, oneHot]);
    expect(tf.memory().numTensors).toBe(before);
    yTrue.dispose();
  });

  it('takes the largest of several channels', async () => {
    const yTrue = tf.tensor4d([2, 0, 1, 1], [1, 2, 2, 1], 'int32');
    const yPred = tf.tensor4d([0.1, 0.2, 0.7, 0.4, 0.3, 0.3, 0.5, 0.2, 0.3, 0.4, 0.4, 0.2], [1, 2, 2, 3]);
    const matrix = new ConfusionMatrix({ numClasses: 3 });
    await matrix.update(yTrue, yPred);
    expect(matrix.result().matrix).toEqual([
      [1, 0, 0],
      [2, 0, 0],
      [0, 0, 1],
    ]);
    tf.dispose([yTrue, yPred]);
  });

  it('refuses tensors that do not fit, and adds nothing', async () => {
    const matrix = new ConfusionMatrix();
    const refused = async (yTrue: tf.Tensor, yPred: tf.Tensor, message: string) => {
      await expect(matrix.update(yTrue, yPred)).rejects.toThrow(new InvalidArgumentError(message));
      tf.dispose([yTrue, yPred]);
    };
    await refused(
      tf.zeros([1, 2, 2, 1]),
      tf.zeros([1, 2, 3, 1]),
      'ConfusionMatrix.update: yTrue and yPred must be [N, ..., 1 or 2] with the same pixels. Received: yTrue [1, 2, 2, 1], yPred [1, 2, 3, 1].',
    );
    await refused(
      tf.zeros([1, 2, 2, 1]),
      tf.zeros([1, 2, 2, 3]),
      'ConfusionMatrix.update: yTrue and yPred must be [N, ..., 1 or 2] with the same pixels. Received: yTrue [1, 2, 2, 1], yPred [1, 2, 2, 3].',
    );
    await refused(
      tf.fill([1, 2, 2, 1], 255),
      tf.zeros([1, 2, 2, 1]),
      'ConfusionMatrix: yTrue must hold labels 0..1. Received: 255 at index 0. Bring a mask of 0 and 255 to 0 and 1 first.',
    );
    await refused(
      tf.zeros([2, 1, 1, 1]),
      tf.tensor4d([0.5, Number.NaN], [2, 1, 1, 1]),
      'ConfusionMatrix: yPred must hold numbers. Received: NaN at index 1. Look for a training run that diverged.',
    );
    const three = new ConfusionMatrix({ numClasses: 3 });
    const labels = tf.zeros([1, 2, 2, 1]);
    await expect(three.update(labels, labels)).rejects.toThrow(
      'ConfusionMatrix.update: for 4 pixels and 3 classes yPred must hold 12 probabilities. Received: 4.',
    );
    const nan = tf.tensor4d([0.1, Number.NaN, 0.2], [1, 1, 1, 3]);
    const one = tf.zeros([1, 1, 1, 1]);
    await expect(three.update(one, nan)).rejects.toThrow(
      'ConfusionMatrix: yPred must hold numbers. Received: NaN at index 1. Look for a training run that diverged.',
    );
    tf.dispose([labels, nan, one]);
    expect(() => matrix.result()).toThrow('needs at least one image');
  });
});

describe('ConfusionMatrix: bad input', () => {
  it('says which option is illegal', () => {
    expect(() => new ConfusionMatrix({ numClasses: 0 })).toThrow(
      'ConfusionMatrix: numClasses must be an integer from 1 to 256. Received: numClasses=0.',
    );
    expect(() => new ConfusionMatrix({ threshold: 1.5 })).toThrow(
      'ConfusionMatrix: threshold must be a probability from 0 to 1. Received: threshold=1.5.',
    );
    // @ts-expect-error An illegal word, as JavaScript callers may pass it.
    expect(() => new ConfusionMatrix({ emptyPolicy: 'nan' })).toThrow(
      "ConfusionMatrix: emptyPolicy must be one of 'one', 'zero', 'ignore'. Received: emptyPolicy='nan'.",
    );
    expect(() => new ConfusionMatrix().result()).toThrow(
      'ConfusionMatrix.result needs at least one image. Received: none. Call and await update first.',
    );
  });

  it('says which arrays do not fit', async () => {
    const matrix = new ConfusionMatrix();
    await expect(matrix.update(new Uint8Array(4), new Float32Array(5))).rejects.toThrow(
      'ConfusionMatrix.update: for 4 pixels and 2 classes yPred must hold 4 or 8 probabilities. Received: 5.',
    );
    await expect(matrix.update(new Uint8Array(4), new Uint8Array(3))).rejects.toThrow(
      'ConfusionMatrix.update: for 4 pixels and 2 classes yPred must hold 4 labels. Received: 3.',
    );
    await expect(matrix.update(new Uint8Array(1), new Uint8Array([2]))).rejects.toThrow(
      'ConfusionMatrix: yPred must hold labels 0..1. Received: 2 at index 0.',
    );
    await expect(new ConfusionMatrix({ numClasses: 3 }).update(new Uint8Array([3]), new Uint8Array(1))).rejects.toThrow(
      'ConfusionMatrix: yTrue must hold labels 0..2. Received: 3 at index 0. Set numClasses to the number of classes.',
    );
  });
});

it('ConfusionMatrix refuses what holds no values', async () => {
  const segmentation = { mask: new Uint8Array(4), width: 2, height: 2 } as unknown as Uint8Array;
  await expect(new ConfusionMatrix().update(new Uint8Array(4), segmentation)).rejects.toThrow(
    new InvalidArgumentError(
      'ConfusionMatrix.update: yPred must be a tensor or a typed array of labels or probabilities. Received: an object of mask, width, height. Of what predictMask returns give its mask.',
    ),
  );
  await expect(new ConfusionMatrix().update(undefined as unknown as Uint8Array, new Uint8Array(4))).rejects.toThrow(
    'yTrue must be a tensor or a typed array of labels or probabilities. Received: undefined.',
  );
});

describeBackends('ConfusionMatrix: mixed input', () => {
  it('is refused', async () => {
    const tensor = tf.zeros([1, 1, 1, 1]);
    await expect(new ConfusionMatrix().update(tensor, new Uint8Array(1))).rejects.toThrow(
      'ConfusionMatrix.update: yTrue and yPred must both be tensors or both be arrays. Received: yTrue a tensor, yPred an array.',
    );
    tensor.dispose();
  });
});
