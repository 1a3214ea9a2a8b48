/** Dropout in planned steps: the masks that the layers draw, their gradients, and runs that go on with the same ones. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Sample } from '../../src/data/index.js';
import * as layers from '../../src/layers/index.js';
import { create as createLoss } from '../../src/losses/index.js';
import * as models from '../../src/models/index.js';
import { Adam } from '../../src/optimizers/index.js';
import { readWeights, TrainingPlan } from '../../src/plan/index.js';
import { findProvider } from '../../src/runtime/providers.js';
import { dropoutMasks } from '../../src/training/dropoutMasks.js';
import { type TrainingState, train } from '../../src/training/index.js';
import { logitsModel } from '../../src/training/logitsModel.js';
import { createStepper } from '../../src/training/stepper.js';
import { startBackend } from '../backends.js';
import { fill, uniform } from '../models/formula.js';

beforeAll(() => startBackend('wasm'));

const HEIGHT = 17;
const WIDTH = 13;
const BATCH = 3;

type Make = () => tfl.layers.Layer;

/** Dropout between convolutions of which the next one reads margins, and one that sums over whole planes. */
function network(dropout: Make): tfl.LayersModel {
  const image = tfl.input({ shape: [HEIGHT, WIDTH, 1] });
  const conv = (filters: number, kernelSize: number, name: string) =>
    tfl.layers.conv2d({ filters, kernelSize, padding: 'same', name });
  let x = conv(6, 3, 'first').apply(image) as tfl.SymbolicTensor;
  x = dropout().apply(x) as tfl.SymbolicTensor;
  x = conv(5, 1, 'second').apply(x) as tfl.SymbolicTensor;
  x = conv(4, 3, 'third').apply(tfl.layers.reLU().apply(x) as tfl.SymbolicTensor) as tfl.SymbolicTensor;
  x = dropout().apply(x) as tfl.SymbolicTensor;
  x = conv(1, 3, 'logits').apply(x) as tfl.SymbolicTensor;
  const model = tfl.model({
    inputs: image,
    outputs: tfl.layers.activation({ activation: 'sigmoid' }).apply(x) as tfl.SymbolicTensor,
  });
  fill(model);
  return model;
}

const images = Float32Array.from(uniform('images', BATCH * HEIGHT * WIDTH));
const target = Float32Array.from(uniform('target', BATCH * HEIGHT * WIDTH));
const shape = [HEIGHT, WIDTH, 1] as const;

/** By names of layers: those that tfjs gives differ from model to model. */
async function plannedGradients(model: tfl.LayersModel, step: number): Promise<Float32Array[]> {
  const network = logitsModel(model);
  const kernels = findProvider('wasm')?.kernels;
  if (kernels === undefined) throw new Error('No kernels.');
  const plan = new TrainingPlan(network, kernels);
  plan.load(await readWeights(network));
  plan.forward(images, BATCH, shape, dropoutMasks(network, 5)({ step, piece: 0 }));
  plan.backward([target]);
  const gradients = plan.state('gradient');
  return network.trainableWeights.map((weight) => gradients.get(weight) ?? new Float32Array(0));
}

function gradientsOfTfjs(model: tfl.LayersModel): Float32Array[] {
  const network = logitsModel(model);
  return tf.tidy(() => {
    const variables = network.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const objective = () => {
      const y = network.apply(tf.tensor4d(images, [BATCH, ...shape]), { training: true }) as tf.Tensor;
      return tf.sum<tf.Scalar>(tf.mul(y, tf.tensor4d(target, [BATCH, ...shape])));
    };
    const { grads } = tf.variableGrads(objective, variables);
    return variables.map(({ name }) => Float32Array.from(grads[name]?.dataSync() ?? []));
  });
}

const norm = (values: readonly number[]): number => Math.hypot(...values);

describe('planned dropout', () => {
  const kinds: [string, Make][] = [
    ["the package's layer", () => layers.dropout({ rate: 0.4, seed: 3 })],
    ["tf.layers' own with a seed", () => tfl.layers.dropout({ rate: 0.4, seed: 3 })],
    ['whole channels', () => tfl.layers.dropout({ rate: 0.5, seed: 4, noiseShape: [BATCH, 1, 1, null] as number[] })],
  ];

  test.each(kinds)('%s: gradients of all weights are those of tfjs', async (_, make) => {
    // The same layers draw the same masks twice: by their names and counters, or by their seeds.
    const counted = new Map<string, number>();
    const dropout: Make = () => {
      const layer = make();
      const { name: _name, ...config } = layer.getConfig() as { name: string } & tf.serialization.ConfigDict;
      const number = counted.size;
      counted.set(layer.name, number);
      const named = { ...config, name: `drop${number % 2}` };
      return layer instanceof layers.Dropout
        ? layers.dropout(named as unknown as layers.DropoutArgs)
        : tfl.layers.dropout(named as unknown as Parameters<typeof tfl.layers.dropout>[0]);
    };
    const [first, second] = [network(dropout), network(dropout)];
    // The second step: the counters have moved on.
    await plannedGradients(first, 0);
    gradientsOfTfjs(second);
    const actual = await plannedGradients(first, 1);
    const expected = gradientsOfTfjs(second);
    for (const [i, values] of expected.entries()) {
      const difference = norm([...values].map((value, j) => value - (actual[i]?.[j] ?? Number.NaN)));
      expect(difference / norm([...values]), `weight ${i}`).toBeLessThan(1e-5);
    }
    first.dispose();
    second.dispose();
  });

  test('without a seed of its own a mask follows from the seed of the run, the step, the piece and the use', () => {
    const rate = 0.3;
    const model = network(() => tfl.layers.dropout({ rate }));
    const [a = '', b = ''] = model.layers.filter((layer) => layer.getClassName() === 'Dropout').map(({ name }) => name);
    const size = [BATCH, HEIGHT, WIDTH, 16] as const;
    const masks = (seed: number, step: number, piece: number) => {
      const draw = dropoutMasks(model, seed)({ step, piece });
      return [draw(a, size), draw(b, size)].map((mask) => [...mask]);
    };
    const before = tf.memory().numTensors;
    const all = [masks(1, 0, 0), masks(1, 1, 0), masks(1, 0, 1), masks(2, 0, 0)].flat();
    expect(tf.memory().numTensors).toBe(before);
    expect(masks(1, 0, 0)).toEqual(all.slice(0, 2));
    const isDropped = all.map((mask) => mask.map((value) => value === 0));
    const kept = Math.fround(1 / (1 - rate));
    for (const mask of all) {
      for (const value of mask) expect(value === 0 || Math.abs(value / kept - 1) < 1e-6).toBe(true);
      // Five standard deviations of a binomial share.
      const dropped = mask.filter((value) => value === 0).length / mask.length;
      expect(Math.abs(dropped - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / mask.length));
    }
    // Independent masks agree where both keep or both drop.
    const share = rate ** 2 + (1 - rate) ** 2;
    for (const [i, first] of isDropped.entries()) {
      for (const second of isDropped.slice(i + 1)) {
        const same = first.filter((value, j) => value === second[j]).length / first.length;
        expect(Math.abs(same - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / first.length));
      }
    }
    model.dispose();
  });

  test('whole channels are dropped by the shape of the noise', () => {
    const model = network(() =>
      tfl.layers.dropout({ rate: 0.5, noiseShape: [null, 1, 1, null] as unknown as number[] }),
    );
    const { name = '' } = model.layers.find((layer) => layer.getClassName() === 'Dropout') ?? {};
    const channels = 40;
    const mask = dropoutMasks(model, 1)({ step: 0, piece: 0 })(name, [BATCH, HEIGHT, WIDTH, channels]);
    const values = new Set<number>();
    for (let image = 0; image < BATCH; image++) {
      for (let c = 0; c < channels; c++) {
        const pixels = Array.from(
          { length: HEIGHT * WIDTH },
          (_, i) => mask[(image * HEIGHT * WIDTH + i) * channels + c],
        );
        expect(new Set(pixels).size).toBe(1);
        values.add(pixels[0] ?? Number.NaN);
      }
    }
    expect(values).toEqual(new Set([0, 2]));
    model.dispose();
  });
});

const square = (index: number): Sample => ({
  ...{ name: `square ${index}`, width: WIDTH, height: HEIGHT, channels: 1 },
  image: Float32Array.from({ length: HEIGHT * WIDTH }, (_, i) => Math.sin(i * (index + 1))),
  mask: Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => ((i >> 2) + index) & 1),
});
const data = { training: [0, 1, 2, 3, 4].map(square), validation: [square(5)] };

async function bits(model: tfl.LayersModel): Promise<number[]> {
  const values = await Promise.all(model.weights.map((weight) => weight.read().data()));
  return values.flatMap((array) => [...new Int32Array(Float32Array.from(array).buffer)]);
}

describe('training with dropout', () => {
  test.each([
    ["the package's layer", () => layers.dropout({ rate: 0.4, seed: 3, name: 'drop' })],
    ["tf.layers' own without a seed", () => tfl.layers.dropout({ rate: 0.4 })],
  ])('%s: planned, resumed within an epoch with the same bits, the same on several threads', async (_, make) => {
    const once = (): Make => {
      let made = 0;
      return () => {
        const layer = make();
        return made++ === 0 ? layer : tfl.layers.dropout({ rate: 0 });
      };
    };
    const build = () => network(once());
    const options = { epochs: 2, batchSize: 2, microBatch: 1, seed: 7, augment: 'none' } as const;
    const checked = build();
    const size = { batchSize: 2, height: HEIGHT, width: WIDTH, channels: 1, threads: 1 };
    const stepper = createStepper(logitsModel(checked), createLoss('bce', { fromLogits: true }), new Adam(), size);
    expect(stepper.reason).toBeNull();
    const whole = build();
    const expected = await train(whole, data, options);
    const controller = new AbortController();
    const states: TrainingState[] = [];
    const stopped = build();
    const interrupted = train(stopped, data, {
      ...options,
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done === 4) controller.abort();
      },
      onState: (state) => void states.push(state),
    });
    await expect(interrupted).rejects.toThrow('aborted');
    const state = states.at(-1);
    if (state === undefined) throw new Error('There is no state.');
    expect([state.epoch, state.step]).toEqual([1, 1]);
    const resumed = build();
    expect(await train(resumed, data, { ...options, state })).toEqual(expected);
    expect(await bits(resumed)).toEqual(await bits(whole));
    const threaded = build();
    const onThreads = { ...expected, execution: { ...expected.execution, threads: 3 } };
    expect(await train(threaded, data, { ...options, threads: 3 })).toEqual(onThreads);
    expect(await bits(threaded)).toEqual(await bits(whole));
    // Another seed draws other masks and another order.
    const other = build();
    expect((await train(other, data, { ...options, seed: 8 })).history).not.toEqual(expected.history);
    for (const model of [checked, whole, stopped, resumed, threaded, other]) model.dispose();
  });

  test('every network with dropout is planned', () => {
    const narrow: Record<models.NetworkName, object> = {
      pyconvunet: { widths: [8, 16] },
      unet: { widths: [4, 8] },
      'unet++': { widths: [4, 8, 8] },
      'attention-unet': { widths: [4, 8] },
      'resnet34-unet': { widths: [4, 8], blocksPerStage: [1, 1] },
      multiresunet: { widths: [8, 16] },
      fcn8s: { widths: [4, 8, 8] },
    };
    for (const name of models.names) {
      const model = models.create(name, { inputShape: [null, null, 1], seed: 1, dropout: 0.5, ...narrow[name] });
      const size = { batchSize: 1, height: 32, width: 32, channels: 1, threads: 1 };
      const stepper = createStepper(logitsModel(model), createLoss('bce', { fromLogits: true }), new Adam(), size);
      expect(stepper.reason, name).toBeNull();
      stepper.dispose();
      model.dispose();
    }
  });
});
