/** Adam against its formulas in float64, its state, and its messages. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { Adam, adam } from '../../src/optimizers/index.js';
import { describeBackends } from '../backends.js';
import { relativeError } from '../naive.js';

const gradientAt = (step: number, i: number) => Math.fround(Math.sin(1 + step * 1.7 + i * 0.9));

/** The formulas of Kingma and Ba as PyTorch arranges them, in float64. */
function reference(
  start: readonly number[],
  steps: number,
  { rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {},
): number[] {
  return start.map((value, i) => {
    let [w, m, v] = [value, 0, 0];
    for (let t = 1; t <= steps; t++) {
      const g = gradientAt(t, i);
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      w -= ((rate / (1 - beta1 ** t)) * m) / (Math.sqrt(v) / Math.sqrt(1 - beta2 ** t) + epsilon);
    }
    return w;
  });
}

function take(optimizer: Adam, variable: tf.Variable, from: number, to: number): void {
  for (let t = from; t <= to; t++) {
    const gradient = tf.tensor1d(Array.from({ length: variable.size }, (_, i) => gradientAt(t, i)));
    optimizer.applyGradients({ [variable.name]: gradient });
    gradient.dispose();
  }
}

describeBackends('Adam', () => {
  it('follows its formulas', async () => {
    const start = [0.5, -1, 2];
    const variable = tf.variable(tf.tensor1d(start));
    const optimizer = adam({ learningRate: 0.05 });
    take(optimizer, variable, 1, 20);
    expect(relativeError(await variable.data(), reference(start, 20, { rate: 0.05 }))).toBeLessThan(1e-6);
    optimizer.dispose();
    variable.dispose();
  });

  it('goes on with the same bits from its saved state', async () => {
    const whole = tf.variable(tf.tensor1d([0.5, -1, 2]));
    const first = adam();
    take(first, whole, 1, 7);
    const other = tf.variable(whole.clone(), true, whole.name.concat('_copy'));
    const state = await first.getWeights();
    const renamed = state.map(({ name, tensor }) => ({ name: name.replace(whole.name, other.name), tensor }));
    const second = adam();
    await second.setWeights(renamed);
    expect(second.iterations).toBe(7);
    take(first, whole, 8, 12);
    take(second, other, 8, 12);
    expect([...(await other.data())]).toEqual([...(await whole.data())]);
    tf.dispose([whole, other, ...state.filter(({ name }) => name === 'step').map(({ tensor }) => tensor)]);
    first.dispose();
    second.dispose();
  });

  it('serves model.compile, and disposes of everything', async () => {
    const before = tf.memory().numTensors;
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });
    const optimizer = adam({ learningRate: 0.1 });
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const x = tf.tensor2d([
      [0, 1],
      [1, 0],
    ]);
    const y = tf.tensor2d([[1], [0]]);
    const losses: number[] = [];
    for (let i = 0; i < 40; i++) losses.push(Number(await model.trainOnBatch(x, y)));
    expect(losses[39]).toBeLessThan(0.1 * (losses[0] ?? 0));
    tf.dispose([x, y]);
    model.dispose();
    optimizer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is built again from its configuration', () => {
    const config = adam({ learningRate: 0.1, beta1: 0.5 }).getConfig();
    expect(config).toEqual({ learningRate: 0.1, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 });
    expect(Adam.fromConfig(Adam, config).getConfig()).toEqual(config);
  });

  it('says what is wrong', async () => {
    expect(() => adam({ learningRate: 0 })).toThrow(
      'Adam needs learningRate > 0, epsilon > 0 and betas in [0, 1). Received: learningRate=0, beta1=0.9, beta2=0.999, epsilon=1e-8.',
    );
    const optimizer = adam();
    await expect(optimizer.setWeights([])).rejects.toThrow(
      "The state of Adam needs an entry 'step'. Received: 0 entries without it.",
    );
    const moment = tf.ones([3]);
    expect(() => optimizer.restore(1, [{ variable: 'nowhere', mean: moment, square: moment }])).toThrow(
      'The state of Adam does not fit the model. Received: moments of nowhere with shape [3], but there is no such variable.',
    );
    moment.dispose();
  });
});
