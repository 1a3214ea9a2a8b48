/** Weights as plans take them over: those of one moment, on whatever backend they are. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, it } from 'vitest';
import { optimizeForInference } from '../../src/inference/index.js';
import { readWeights, withWeights } from '../../src/plan/index.js';
import { startBackend } from '../backends.js';

/** A kernel [1, 1, 1, 2] and a bias [2]. */
const network = (): tfl.LayersModel =>
  tfl.sequential({ layers: [tfl.layers.conv2d({ filters: 2, kernelSize: 1, inputShape: [null, null, 1] })] });

const assign = (model: tfl.LayersModel, index: number, values: number[], shape: number[]): void =>
  tf.tidy(() => {
    model.weights[index]?.write(tf.tensor(values, shape));
  });

/** Its kernel on cpu, its bias on wasm. */
async function mixedNetwork(): Promise<tfl.LayersModel> {
  await startBackend('cpu');
  const model = network();
  assign(model, 0, [1, 2], [1, 1, 1, 2]);
  await startBackend('wasm');
  assign(model, 1, [3, 4], [2]);
  return model;
}

/** The numbers of all weights at the time of the call. */
const numbersOf = (model: tfl.LayersModel): Promise<number[][]> =>
  withWeights(model, (weights) => [...weights.values()].map((values) => [...values]));

beforeEach(async () => {
  await startBackend('cpu');
  await startBackend('wasm');
});

it('are read from several backends', async () => {
  const model = await mixedNetwork();
  expect(await numbersOf(model)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  // What was used on wasm lies there now.
  const x = tf.ones<tf.Rank.R4>([1, 32, 32, 1]);
  tf.dispose(model.predict(x));
  const optimized = await optimizeForInference(model);
  expect(optimized.reason).toBeNull();
  const y = optimized.predict(x) as tf.Tensor;
  expect([...y.dataSync().slice(0, 2)]).toEqual([4, 6]);
  optimized.dispose();
  tf.dispose([x, y]);
  model.dispose();
});

it('are those of one moment where some are assigned while others are waited for', async () => {
  const model = await mixedNetwork();
  const found = numbersOf(model);
  assign(model, 0, [5, 6], [1, 1, 1, 2]);
  assign(model, 1, [7, 8], [2]);
  expect(await found).toEqual([
    [5, 6],
    [7, 8],
  ]);
  model.dispose();
});

it('are copied by readWeights, and leave no tensor behind', async () => {
  const model = network();
  assign(model, 0, [1, 2], [1, 1, 1, 2]);
  const before = tf.memory().numTensors;
  const read = await readWeights(model);
  assign(model, 0, [5, 6], [1, 1, 1, 2]);
  expect([...read.values()].map((values) => [...values])[0]).toEqual([1, 2]);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});

/** A layer that no plan knows, with a weight of another type. */
class Switch extends tfl.layers.Layer {
  static className = 'Switch';

  override build(inputShape: tfl.Shape): void {
    this.addWeight('on', [5], 'bool', tfl.initializers.ones());
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat();
    if (x === undefined) throw new Error('A switch has one input.');
    return x.clone();
  }
}

it('of other types become float32: a model of an unknown layer runs layer by layer', async () => {
  const model = tfl.sequential({ layers: [new Switch({ inputShape: [8, 8, 1] })] });
  expect((await numbersOf(model))[0]).toEqual([1, 1, 1, 1, 1]);
  const optimized = await optimizeForInference(model);
  expect(optimized.reason).toContain('(Switch)');
  optimized.dispose();
  model.dispose();
});
