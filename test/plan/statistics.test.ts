/** Batch normalisation in planned steps where numbers are hard: constant maps, maps far from zero, one pixel, margins that hold anything. */
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, expect, test } from 'vitest';
import * as layers from '../../src/layers/index.js';
import { readWeights, TrainingPlan } from '../../src/plan/index.js';
import { findProvider } from '../../src/runtime/providers.js';
import { startBackend } from '../backends.js';
import { useCleanMemory, useDirtyMemory } from './dirtyMemory.js';

beforeAll(() => startBackend('wasm'));
afterEach(useCleanMemory);

type Shape = readonly [batch: number, height: number, width: number];

async function planOf(model: tfl.LayersModel): Promise<TrainingPlan> {
  const kernels = findProvider('wasm')?.kernels;
  if (kernels === undefined) throw new Error('No kernels.');
  const plan = new TrainingPlan(model, kernels);
  plan.load(await readWeights(model));
  return plan;
}

const EPSILON = 1e-5;

/** A normalisation of one channel alone. */
function normalisation(): tfl.LayersModel {
  const input = tfl.input({ shape: [null, null, 1] });
  const output = layers.batchNorm({ momentum: 0, epsilon: EPSILON }).apply(input) as tfl.SymbolicTensor;
  return tfl.model({ inputs: input, outputs: output });
}

/** What a step makes of images of one channel: output, moving mean and variance (momentum 0: those of the batch), dgamma and dbeta. */
async function stepOf(values: Float32Array, [batch, height, width]: Shape, dy: Float32Array) {
  const model = normalisation();
  const plan = await planOf(model);
  const [output] = plan.forward(values, batch, [height, width, 1]).map(({ data }) => data.slice());
  plan.backward([dy]);
  const weights = [...plan.weights()];
  const moving = (name: string) => weights.find(([{ name: own }]) => own.includes(name))?.[1][0] ?? Number.NaN;
  const gradients = [...plan.state('gradient').values()].map(([value]) => value ?? Number.NaN);
  plan.dispose();
  model.dispose();
  return { output: output ?? new Float32Array(0), mean: moving('mean'), variance: moving('variance'), gradients };
}

const SHAPES: readonly Shape[] = [
  [1, 64, 64],
  [3, 17, 10],
  [2, 1, 5],
];
const sizeOf = ([batch, height, width]: Shape): number => batch * height * width;

test.each(SHAPES)('constant maps have the variance 0 (%i x %i x %i)', async (...shape) => {
  for (const value of [0, 4.9, -7, 255, 1117.3, 3000]) {
    const values = new Float32Array(sizeOf(shape)).fill(value);
    const { output, mean, variance, gradients } = await stepOf(values, shape, values.map(Math.sin));
    expect(mean).toBe(Math.fround(value));
    expect(variance).toBe(0);
    // An offset of rounding, divided by the root of epsilon.
    expect(Math.max(...output.map(Math.abs))).toBeLessThanOrEqual(Math.abs(value) * 1e-4);
    expect(gradients.every(Number.isFinite)).toBe(true);
  }
});

test.each([
  [1000, 0.1],
  [100, 0.01],
  [-3000, 1],
  [0, 1],
])('maps about %f keep a deviation of %f', async (offset, deviation) => {
  for (const shape of SHAPES) {
    const size = sizeOf(shape);
    // Some are exactly zero where the map is about zero.
    const values = Float32Array.from({ length: size }, (_, i) =>
      i % 7 === 0 && offset === 0 ? 0 : offset + deviation * Math.sin(i * 0.7312),
    );
    const dy = Float32Array.from({ length: size }, (_, i) => Math.cos(i * 1.318));
    const mean = values.reduce((sum, x) => sum + x, 0) / size;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / size;
    const actual = await stepOf(values, shape, dy);
    expect(Math.abs(actual.mean - mean)).toBeLessThanOrEqual(1e-7 * Math.abs(mean) + 1e-7 * deviation);
    // The moving variance takes in the unbiased one.
    expect(Math.abs(actual.variance / ((variance * size) / (size - 1)) - 1)).toBeLessThan(1e-5);
    const inverse = 1 / Math.sqrt(variance + EPSILON);
    const gamma = values.reduce((sum, x, i) => sum + (dy[i] ?? 0) * (x - mean) * inverse, 0);
    const least = Math.min(...actual.gradients.map((value) => Math.abs(value - gamma)));
    expect(least).toBeLessThan(1e-5 * Math.sqrt(size));
  }
});

test('one value per channel is refused before a step, as layer by layer', async () => {
  const model = normalisation();
  const plan = await planOf(model);
  expect(() => plan.prepare([2, 1], [1, 1, 1])).toThrow(
    'Batch statistics need more than one value per channel. Received: shape [1, 1, 1, 1]. Use a larger image or batch.',
  );
  plan.prepare([2], [1, 1, 1]);
  plan.dispose();
  model.dispose();
});

test('no number around the map of a sigmoid does not reach the gradient of the bias in front of it', async () => {
  useDirtyMemory();
  const input = tfl.input({ shape: [null, null, 2] });
  const conv = (filters: number) => tfl.layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: true });
  const a = conv(3).apply(input) as tfl.SymbolicTensor;
  const s = tfl.layers.activation({ activation: 'sigmoid' }).apply(conv(3).apply(input)) as tfl.SymbolicTensor;
  const sum = tfl.layers.add().apply([a, s]);
  const output = conv(1).apply(layers.batchNorm({}).apply(sum)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: output });
  const plan = await planOf(model);
  const values = Float32Array.from({ length: 20 * 20 * 2 }, (_, i) => Math.sin(i));
  plan.forward(values, 1, [20, 20, 2]);
  plan.backward([Float32Array.from({ length: 400 }, (_, i) => Math.cos(i))]);
  const broken = [...plan.state('gradient')].filter(([, gradient]) => !gradient.every(Number.isFinite));
  expect(broken.map(([{ name }]) => name)).toEqual([]);
  plan.dispose();
  model.dispose();
});
