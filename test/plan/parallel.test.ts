/** What several threads compute is what one computes, to the bit: predictions, and a training step with its update. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { KERNELS } from '../../src/engine/contract.js';
import { possibleThreads } from '../../src/engine/sharedMemory.js';
import * as models from '../../src/models/index.js';
import { InferencePlan, readWeights, TrainingPlan } from '../../src/plan/index.js';
import { findProvider, type KernelBinaries } from '../../src/runtime/providers.js';
import { startBackend } from '../backends.js';
import { fill, uniform } from '../models/formula.js';

let kernels: KernelBinaries;
beforeAll(async () => {
  await startBackend('wasm');
  const found = findProvider('wasm')?.kernels;
  if (found === undefined) throw new Error('No kernels.');
  kernels = found;
});

const networks: [models.NetworkName, Record<string, unknown>][] = [
  ['pyconvunet', { widths: [32, 64] }],
  ['unet', { widths: [16, 32] }],
  ['unet', { widths: [8, 128] }],
  ['unet++', { widths: [8, 16, 24], deepSupervision: true }],
  ['attention-unet', { widths: [8, 16] }],
  ['resnet34-unet', { widths: [8, 16], blocksPerStage: [1, 1] }],
  ['multiresunet', { widths: [8, 16] }],
  ['fcn8s', { widths: [8, 16, 16] }],
];
const shape = [32, 48, 1] as const;
const [height, width] = shape;

const KERNEL_NAMES = Object.keys(KERNELS);

/** Kernels of products: the places of two of their parameters, and the least outputs of a part. */
const PRODUCTS: Readonly<Record<string, { pixels: number; outputs: number; least: number }>> = {
  gemm: { pixels: KERNELS.gemm.indexOf('length'), outputs: KERNELS.gemm.indexOf('outputs'), least: 2 },
  gatherGemm: { pixels: KERNELS.gatherGemm.indexOf('pixels'), outputs: KERNELS.gatherGemm.indexOf('rows'), least: 2 },
  strassen: { pixels: KERNELS.strassen.indexOf('length'), outputs: KERNELS.strassen.indexOf('pairs'), least: 1 },
  gatherStrassen: {
    pixels: KERNELS.gatherStrassen.indexOf('pixels'),
    outputs: KERNELS.gatherStrassen.indexOf('pairs'),
    least: 1,
  },
};
const NESTED_GRADIENT = KERNEL_NAMES.indexOf('nestedGradient');

/** Two threads, and more than some maps have rows of tiles. */
const THREADS = [2, 5];

/** How many numbers differ; a deep comparison of long arrays takes minutes. */
const differences = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
  a.reduce((sum, values, i) => sum + values.filter((value, j) => value !== b[i]?.[j]).length, 0);

/** What a plan for some threads predicts, and the products that its steps take. */
function predicted<T>(
  model: tfl.LayersModel,
  weights: Awaited<ReturnType<typeof readWeights>>,
  size: readonly [number, number, number],
  threads: number,
  productsOf: (steps: ReturnType<InferencePlan['stepsFor']>) => T,
): { readonly products: T; readonly values: Float32Array[] } {
  const image = Float32Array.from(uniform('image', size[0] * size[1]));
  const plan = new InferencePlan(model, weights, kernels, { precision: 'fast', threads });
  try {
    const products = productsOf(plan.stepsFor(size));
    // A second time, when the workers have come.
    plan.run(image, size);
    return { products, values: plan.run(image, size).map(({ data }) => data.slice()) };
  } finally {
    plan.dispose();
  }
}

/** A model of PyConvU-Net, and of each phase of its products on whole planes or lists of pixels what its tasks do. */
async function productsOf({ widths, side }: { readonly widths: readonly number[]; readonly side: number }) {
  const shape = [side, side, 1] as const;
  const model = models.pyConvUNet({ widths: [...widths], inputShape: [...shape], seed: 1 });
  fill(model);
  const weights = await readWeights(model);
  const outcome = (threads: number) =>
    predicted(model, weights, shape, threads, (steps) =>
      steps
        .flatMap(({ phases }) => phases)
        .map((phase) =>
          phase.flat().flatMap(({ kernel: index, args }) => {
            const kernel = KERNEL_NAMES[index] ?? '';
            const found = PRODUCTS[kernel];
            if (found === undefined) return [];
            return [{ kernel, pixels: args[found.pixels] ?? 0, outputs: args[found.outputs] ?? 0 }];
          }),
        )
        .filter((calls) => calls.length > 0),
    );
  return { outcome, dispose: () => model.dispose() };
}

describe('threads', () => {
  test.each(networks)('%s predicts the same bits', async (name, options) => {
    const model = models.create(name, { ...options, inputShape: [null, null, 1], seed: 1 });
    fill(model);
    const weights = await readWeights(model);
    const predict = (threads: number) => predicted(model, weights, shape, threads, () => null).values;
    const expected = predict(1);
    for (const threads of THREADS) expect(differences(predict(threads), expected), `${threads} threads`).toBe(0);
    model.dispose();
  });

  test('the outputs of small maps are shared out, for which bands of rows would not do', async () => {
    // 4 rows of tiles of 3x3 pixels: five threads would have nothing for one of them, and bands of 6 tiles for the others.
    const shape = [12, 12, 1] as const;
    const model = models.pyConvUNet({ widths: [64, 128], inputShape: [...shape], seed: 1 });
    fill(model);
    const weights = await readWeights(model);
    const outcome = (threads: number) =>
      predicted(model, weights, shape, threads, (steps) =>
        steps
          .filter(({ kind }) => kind === 'nested')
          .flatMap(({ phases }) => phases.map((phase) => phase.map((task) => task.length))),
      );
    const [one, five] = [outcome(1), outcome(5)];
    expect(differences(five.values, one.values)).toBe(0);
    expect(one.products.every((tasks) => tasks.length === 1)).toBe(true);
    // In turn the channels of the transforms and the outputs, for all threads; one level has four groups of few outputs.
    const fewest = Math.min(4, possibleThreads(5));
    expect(five.products.length > one.products.length).toBe(fewest > 1);
    expect(five.products.every((tasks) => tasks.length >= fewest)).toBe(true);
    model.dispose();
  });

  test.each([
    [
      [16, 32],
      ['gemm', 'gatherGemm'],
    ],
    [
      [32, 64],
      ['gemm', 'strassen', 'gatherStrassen'],
    ],
  ])('products are cut by pixels: widths %j', async (widths, kernels) => {
    const { outcome, dispose } = await productsOf({ widths, side: 192 });
    const [one, two] = [outcome(1), outcome(2)];
    expect(differences(two.values, one.values)).toBe(0);
    expect(new Set(one.products.flat().map(({ kernel }) => kernel))).toEqual(new Set(kernels));
    // Where memory cannot be shared, two threads are one.
    if (possibleThreads(2) === 1) expect(two.products).toEqual(one.products);
    else
      for (const parts of two.products) {
        expect(parts).toHaveLength(2);
        const [{ kernel, outputs } = { kernel: '', outputs: Number.NaN }] = parts;
        // Of one product, all outputs in every part.
        expect(new Set(parts.map((part) => part.outputs))).toEqual(new Set([outputs]));
        const pixels = parts.reduce((sum, part) => sum + part.pixels, 0);
        expect(one.products.flat()).toContainEqual({ kernel, pixels, outputs });
      }
    dispose();
  });

  // A map of 48 x 48 has 288 places a plane, one of 16 x 16 has 256 pixels: too few register tiles for forty threads.
  test.each([
    [96, [32, 48], 'gemm'],
    [96, [32, 128], 'strassen'],
    [32, [32, 128], 'gatherStrassen'],
  ])('products are cut by outputs where there are too few pixels: side %i, widths %j', async (side, widths, kernel) => {
    const { outcome, dispose } = await productsOf({ widths, side });
    const [one, many] = [outcome(1), outcome(40)];
    expect(differences(many.values, one.values)).toBe(0);
    const cut = many.products.filter(
      (parts) => parts.length > 1 && parts.every(({ kernel, outputs }) => outputs === PRODUCTS[kernel]?.least),
    );
    expect(cut.some(([part]) => part?.kernel === kernel)).toBe(possibleThreads(40) > 1);
    dispose();
  });

  test('gradients of filters are shared out among more threads than the widest chunks would serve', () => {
    const model = models.pyConvUNet({ widths: [32, 64], inputShape: [48, 48, 1], head: 'logits', seed: 1 });
    const plan = new TrainingPlan(model, kernels, { threads: 8 });
    try {
      const tasks = plan
        .stepsFor(1, [48, 48, 1])
        .filter(({ name, kind }) => name.endsWith('pyconv') && kind === 'filter gradient')
        .flatMap(({ phases }) =>
          phases.filter((phase) => phase.flat().some(({ kernel }) => kernel === NESTED_GRADIENT)),
        );
      expect(tasks.length).toBeGreaterThan(0);
      expect(tasks.every((phase) => phase.length === possibleThreads(8))).toBe(true);
    } finally {
      plan.dispose();
      model.dispose();
    }
  });

  test.each(networks)('%s trains to the same bits', async (name, options) => {
    const model = models.create(name, { ...options, inputShape: [null, null, 1], head: 'logits', seed: 1 });
    fill(model);
    const weights = await readWeights(model);
    const batch = 2;
    const images = Float32Array.from(uniform('images', batch * height * width));
    const train = (threads: number) => {
      const plan = new TrainingPlan(model, kernels, { threads });
      try {
        plan.load(weights);
        for (let step = 1; step <= 2; step++) {
          const outputs = plan.forward(images, batch, shape);
          plan.backward(outputs.map(({ data }) => data.map((value) => Math.sin(9 * value) / data.length)));
          plan.adam({
            ...{ rate: 1e-3 / (1 - 0.9 ** step), correction: Math.sqrt(1 - 0.999 ** step) },
            ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
          });
        }
        return [...plan.weights().values()];
      } finally {
        plan.dispose();
      }
    };
    const expected = train(1);
    for (const threads of THREADS) expect(differences(train(threads), expected), `${threads} threads`).toBe(0);
    model.dispose();
  });
});
