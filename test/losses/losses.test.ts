import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as losses from '../../src/losses/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { describeBackends } from '../backends.js';

interface Case {
  loss: string;
  options: losses.LossOptions;
  shape: number[];
  yTrue: number[];
  yPred: number[];
  value: number;
  gradient: number[];
}
const oracle: { cases: Case[] } = JSON.parse(readFileSync(new URL('../oracles/losses.json', import.meta.url), 'utf8'));

const factories: Record<string, (options: losses.LossOptions) => losses.Loss> = {
  binaryCrossentropy: losses.binaryCrossentropy,
  categoricalCrossentropy: losses.categoricalCrossentropy,
  crossentropy: losses.crossentropy,
  dice: losses.dice,
  bceDice: losses.bceDice,
  focal: losses.focal,
  tversky: losses.tversky,
  lovasz: losses.lovasz,
  generalizedDice: losses.generalizedDice,
};

async function valueAndGradient(loss: losses.Loss, yTrue: tf.Tensor, yPred: tf.Tensor) {
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(yTrue, x))(yPred);
  const [v, g] = await Promise.all([value.data(), grad.data()]);
  tf.dispose([value, grad]);
  return { value: v[0] ?? Number.NaN, gradient: Array.from(g) };
}

function expectClose(received: readonly number[], expected: readonly number[], relative: number) {
  expect(received.length).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...expected.map((e, i) => Math.abs(e - (received[i] ?? Number.NaN))));
  expect(worst).toBeLessThanOrEqual(relative * largest);
}

describeBackends('losses', () => {
  it.each(oracle.cases.map((c, i) => [`${i} ${c.loss} ${c.shape.at(-1)} ${JSON.stringify(c.options)}`, c] as const))(
    'equals PyTorch in value and gradient: %s',
    async (_, c) => {
      const factory = factories[c.loss];
      if (factory === undefined) throw new Error(`The oracle names ${c.loss}, which is no loss.`);
      const yTrue = tf.tensor(c.yTrue, c.shape);
      const yPred = tf.tensor(c.yPred, c.shape);
      const { value, gradient } = await valueAndGradient(factory(c.options), yTrue, yPred);
      expectClose([value], [c.value], 1e-5);
      expectClose(gradient, c.gradient, 1e-4);
      tf.dispose([yTrue, yPred]);
    },
  );

  it('takes labels where the truth is not one-hot', async () => {
    const labels = tf.tensor4d([0, 2, 1, 1, 2, 0], [1, 2, 3, 1], 'int32');
    const yPred = tf.tensor4d(
      Array.from({ length: 18 }, (_, i) => Math.sin(i * 1.3)),
      [1, 2, 3, 3],
    );
    const oneHot = tf.tensor4d([1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0], [1, 2, 3, 3]);
    for (const name of losses.names) {
      const loss = losses.create(name, { fromLogits: true, numClasses: 3 });
      const fromLabels = await valueAndGradient(loss, labels, yPred);
      const fromOneHot = await valueAndGradient(loss, oneHot, yPred);
      expect(fromLabels).toEqual(fromOneHot);
    }
    tf.dispose([labels, yPred, oneHot]);
  });

  it('stays finite at logits of +-100, and keeps a gradient where the loss has one', async () => {
    for (const channels of [1, 2]) {
      const n = 8;
      const yTrue = tf.tensor(
        Array.from({ length: n * channels }, (_, i) => (i % 2 === 0 ? 1 : 0)),
        [1, 2, 4, channels],
      );
      const wrong = tf.tensor(
        Array.from({ length: n * channels }, (_, i) => (i % 2 === 0 ? -100 : 100)),
        yTrue.shape,
      );
      const right = tf.neg(wrong);
      for (const name of losses.names) {
        const loss = losses.create(name, { fromLogits: true });
        const atWrong = await valueAndGradient(loss, yTrue, wrong);
        const atRight = await valueAndGradient(loss, yTrue, right);
        for (const x of [atWrong.value, atRight.value, ...atWrong.gradient, ...atRight.gradient]) {
          expect(Number.isFinite(x), `${name}, ${channels} channels`).toBe(true);
        }
        expect(atWrong.value, name).toBeGreaterThan(0.1);
        expect(atRight.value, name).toBeLessThan(1e-3);
        // The losses that are functions of p alone are flat where p is saturated.
        const moves = atWrong.gradient.map((g, i) => (i % 2 === 0 ? -g : g));
        expect(Math.min(...moves), name).toBeGreaterThanOrEqual(0);
        if (['bce', 'bce-dice', 'focal'].includes(name)) expect(Math.min(...moves), name).toBeGreaterThan(0.01);
        if (name === 'lovasz' && channels === 1) expect(Math.max(...moves)).toBeGreaterThan(0.01);
      }
      tf.dispose([yTrue, wrong, right]);
    }
  });

  it.each(losses.names)('%s fits a few variables', async (name) => {
    for (const channels of [1, 3]) {
      const shape = [2, 3, 4, channels];
      const labels = Array.from({ length: 24 }, (_, i) => (i * 5) % (channels === 1 ? 2 : 3));
      const yTrue = tf.tensor(labels, [2, 3, 4, 1]);
      const logits = tf.variable(tf.fill(shape, 0.1));
      const optimizer = tf.train.adam(0.3);
      const loss = losses.create(name, { fromLogits: true, numClasses: channels });
      for (let step = 0; step < 60; step++) {
        optimizer.minimize(() => loss(yTrue, logits), false, [logits]);
      }
      const predicted = tf.tidy(() => (channels === 1 ? tf.greater(logits, 0) : tf.argMax(logits, -1)));
      expect(Array.from(await predicted.data()), `${channels} channels`).toEqual(labels);
      tf.dispose([yTrue, logits, predicted]);
      optimizer.dispose();
    }
  });

  it('leaks no tensor, with and without a gradient', async () => {
    for (const channels of [1, 3]) {
      const yTrue = tf.ones([2, 3, 4, 1]);
      const yPred = tf.fill([2, 3, 4, channels], 0.4);
      for (const name of [...losses.names]) {
        for (const fromLogits of [true, false]) {
          const loss = losses.create(name, { fromLogits });
          const before = tf.memory().numTensors;
          loss(yTrue, yPred).dispose();
          await valueAndGradient(loss, yTrue, yPred);
          expect(tf.memory().numTensors - before, name).toBe(0);
        }
      }
      for (const loss of [losses.lovasz({ aggregation: 'image' }), losses.dice({ includeBackground: false })]) {
        const before = tf.memory().numTensors;
        await valueAndGradient(loss, yTrue, yPred);
        expect(tf.memory().numTensors - before).toBe(0);
      }
      tf.dispose([yTrue, yPred]);
    }
  });

  it('is accurate over a large map', async () => {
    // 1/3 cannot be added 300,000 times in float32 without loss: one after the other the sum is off by 1e-3.
    const p = tf.fill([1, 640, 512, 1], 1 / 3);
    const yTrue = tf.ones([1, 640, 512, 1]);
    const { value } = await valueAndGradient(losses.dice(), yTrue, p);
    const n = 640 * 512;
    const exact = 1 - ((2 * n) / 3 + 1) / (n + n / 3 + 1);
    expect(Math.abs(value - exact)).toBeLessThan(2e-6);
    tf.dispose([p, yTrue]);
  });

  it('weighs every error of a large map in the Lovász loss', async () => {
    const n = 256 * 256;
    const logits = tf.tensor(
      Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898) * 0.9),
      [1, 256, 256, 1],
    );
    const yTrue = tf.tensor(
      Float32Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 1 : 0)),
      [1, 256, 256, 1],
    );
    const { gradient } = await valueAndGradient(losses.lovasz({ fromLogits: true }), yTrue, logits);
    // All hinge errors are positive, so the weights are those of the whole order and add up to the loss of all wrong: 1.
    expect(gradient.reduce((sum, g) => sum + Math.abs(g), 0)).toBeCloseTo(1, 4);
    expect(gradient.every((g, i) => (i % 3 === 0 ? g < 0 : g >= 0))).toBe(true);
    tf.dispose([logits, yTrue]);
  });
});

describeBackends('losses in tf.layers', () => {
  it('compile and train under their own names', async () => {
    const model = tfl.sequential({
      layers: [tfl.layers.dense({ inputShape: [4, 4, 2], units: 1, activation: 'sigmoid', kernelInitializer: 'ones' })],
    });
    const optimizer = tf.train.sgd(0.5);
    model.compile({ optimizer, loss: losses.bceDice() });
    const x = tf.tensor(
      Array.from({ length: 64 }, (_, i) => Math.sin(i)),
      [2, 4, 4, 2],
    );
    const y = tf.tensor(
      Array.from({ length: 32 }, (_, i) => (Math.sin(2 * i) > 0 ? 1 : 0)),
      [2, 4, 4, 1],
    );
    const first = await model.trainOnBatch(x, y);
    for (let i = 0; i < 20; i++) await model.trainOnBatch(x, y);
    const last = await model.trainOnBatch(x, y);
    expect(Number(last)).toBeLessThan(Number(first));
    model.dispose();
    tf.dispose([x, y]);
  });
});

describe('losses: names and bad input', () => {
  it('carry the name of their factory', () => {
    for (const [name, factory] of Object.entries(factories)) expect(factory({}).name).toBe(name);
  });

  it('create() names what there is', () => {
    expect(losses.names).toEqual(['bce', 'dice', 'bce-dice', 'focal', 'tversky', 'lovasz', 'generalized-dice']);
    expect(() => losses.create('mse')).toThrow(
      new InvalidArgumentError(
        "There is no loss named 'mse'. Choose one of: bce, dice, bce-dice, focal, tversky, lovasz, generalized-dice.",
      ),
    );
  });

  it('say which option is illegal', () => {
    const number = (loss: string, option: string, value: number) =>
      `losses.${loss}: ${option} must be a finite number not below 0. Received: ${option}=${value}.`;
    expect(() => losses.dice({ smooth: -1 })).toThrow(number('dice', 'smooth', -1));
    expect(() => losses.bceDice({ bceWeight: Number.NaN })).toThrow(number('bceDice', 'bceWeight', Number.NaN));
    expect(() => losses.bceDice({ diceWeight: -2 })).toThrow(number('bceDice', 'diceWeight', -2));
    expect(() => losses.tversky({ beta: -0.1 })).toThrow(number('tversky', 'beta', -0.1));
    expect(() => losses.focal({ gamma: -1 })).toThrow(number('focal', 'gamma', -1));
    expect(() => losses.focal({ alpha: 2 })).toThrow(
      "losses.focal: a single alpha is the foreground's share of the weight, from 0 to 1. Received: alpha=2. Pass [background, foreground] for other weights.",
    );
  });
});

describeBackends('losses: shapes', () => {
  const call = (loss: losses.Loss, yTrue: number[], yPred: number[]) =>
    tf.tidy(() => {
      loss(tf.zeros(yTrue), tf.fill(yPred, 0.5));
    });

  it('say which shapes do not fit', () => {
    expect(() => call(losses.dice(), [1, 4, 4, 1], [1, 4, 2, 1])).toThrow(
      new InvalidArgumentError(
        'losses.dice: yTrue must have the shape of yPred [1, 4, 2, 1]. Received: yTrue [1, 4, 4, 1].',
      ),
    );
    expect(() => call(losses.tversky(), [1, 4, 4, 2], [1, 4, 4, 3])).toThrow(
      'losses.tversky: yTrue must have the shape of yPred [1, 4, 4, 3] (one-hot) or [1, 4, 4, 1] (labels 0..2). Received: yTrue [1, 4, 4, 2].',
    );
    expect(() => call(losses.dice({ numClasses: 2 }), [1, 4, 4, 1], [1, 4, 4, 3])).toThrow(
      'losses.dice: yPred must have numClasses=2 channels on its last axis. Received: yPred [1, 4, 4, 3]. Build the model and the loss with the same numClasses.',
    );
    expect(() => call(losses.lovasz(), [4], [4])).toThrow(
      'losses.lovasz: yPred must be [N, ..., channels] of rank 2 or more. Received: yPred [4].',
    );
    expect(() => call(losses.binaryCrossentropy(), [1, 4, 4, 1], [1, 4, 4, 3])).toThrow(
      'losses.binaryCrossentropy: yTrue must have the shape of yPred [1, 4, 4, 3]. Received: yTrue [1, 4, 4, 1]. For exclusive classes use losses.categoricalCrossentropy.',
    );
    expect(() => call(losses.categoricalCrossentropy(), [1, 4, 4, 1], [1, 4, 4, 1])).toThrow(
      'losses.categoricalCrossentropy: yPred must have two or more channels. Received: yPred [1, 4, 4, 1]. For one channel use losses.binaryCrossentropy.',
    );
    expect(() => call(losses.focal({ alpha: [1, 2] }), [1, 4, 4, 1], [1, 4, 4, 3])).toThrow(
      'losses.focal: alpha must hold 3 weights, one per class. Received: alpha=[1, 2].',
    );
    expect(() => call(losses.focal({ alpha: 0.5 }), [1, 4, 4, 1], [1, 4, 4, 3])).toThrow(
      'losses.focal: for 3 classes alpha must be a list of 3 weights. Received: alpha=0.5.',
    );
  });

  it('any rank gives the same value as the same pixels in another layout', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...losses.names),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        async (name, n, h, w, channels) => {
          const count = n * h * w * channels;
          const truth = Array.from({ length: n * h * w }, (_, i) => (i * i) % (channels === 1 ? 2 : channels));
          const logits = Array.from({ length: count }, (_, i) => Math.sin(i * 7.1) * 4);
          const loss = losses.create(name, { fromLogits: true });
          const results: number[] = [];
          for (const pixels of [[h, w], [h * w], [h, 1, w]]) {
            const value = tf.tidy(() =>
              loss(tf.tensor(truth, [n, ...pixels, 1]), tf.tensor(logits, [n, ...pixels, channels])),
            );
            results.push((await value.data())[0] ?? Number.NaN);
            value.dispose();
          }
          const reference = results[0] ?? Number.NaN;
          for (const result of results)
            expect(Math.abs(result - reference)).toBeLessThanOrEqual(1e-5 * (1 + reference));
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });
});
