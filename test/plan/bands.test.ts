/** Gradients of convolutions whose maps are computed in several bands, several images of a batch, and several levels that add up. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { pyConv2d } from '../../src/layers/index.js';
import { readWeights, TrainingPlan } from '../../src/plan/index.js';
import { findProvider } from '../../src/runtime/providers.js';
import { startBackend } from '../backends.js';
import { uniform } from '../models/formula.js';

beforeAll(() => startBackend('wasm'));

const pyramid = (x: tfl.SymbolicTensor) => pyConv2d({ filters: 32, groups: 'auto' }).apply(x) as tfl.SymbolicTensor;
const dense = (x: tfl.SymbolicTensor) =>
  tfl.layers.conv2d({ filters: 20, kernelSize: 3, padding: 'same' }).apply(x) as tfl.SymbolicTensor;

/** Long rows, so that few of them fill a band. */
const cases = [
  ['a pyramid', pyramid, 30, 610],
  ['a dense convolution', dense, 40, 530],
] as const;

test.each(cases)('%s', async (_, layer, height, width) => {
  const batch = 2;
  const input = tfl.input({ shape: [height, width, 3] });
  const before = tfl.layers.conv2d({ filters: 16, kernelSize: 1 }).apply(input) as tfl.SymbolicTensor;
  const output = tfl.layers.conv2d({ filters: 2, kernelSize: 1 }).apply(layer(before)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: output });
  const images = Float32Array.from(uniform('images', batch * height * width * 3));
  const target = Float32Array.from(uniform('target', batch * height * width * 2));
  const kernels = findProvider('wasm')?.kernels;
  if (kernels === undefined) throw new Error('No kernels.');
  const plan = new TrainingPlan(model, kernels);
  plan.load(await readWeights(model));
  plan.forward(images, batch, [height, width, 3]);
  plan.backward([target]);
  const actual = plan.state('gradient');
  const { grads } = tf.variableGrads(
    () => {
      const y = model.apply(tf.tensor4d(images, [batch, height, width, 3])) as tf.Tensor;
      return tf.sum(tf.mul(y, tf.tensor4d(target, [batch, height, width, 2])));
    },
    model.trainableWeights.map((weight) => weight.read() as tf.Variable),
  );
  for (const weight of model.trainableWeights) {
    const expected = (await grads[weight.name]?.data()) ?? new Float32Array(0);
    const values = actual.get(weight) ?? new Float32Array(0);
    const largest = Math.max(...expected.map(Math.abs));
    const error = Math.max(...expected.map((value, i) => Math.abs(value - (values[i] ?? Number.NaN))));
    expect(error / largest, weight.originalName).toBeLessThan(1e-4);
  }
  tf.dispose(grads);
  model.dispose();
});
