/** The networks against PyTorch: counts, logits, moving statistics and every gradient. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import * as models from '../../src/models/index.js';
import oracle from '../oracles/networks.json' with { type: 'json' };
import { digest, fill, inputImage, namedWeights, uniform } from './formula.js';

type Digest = [norm: number, product: number];

interface LogitsRecord {
  digest: Digest;
  /** Standard deviation of the logits. */
  spread: number;
  values: number[];
}

interface OracleCase {
  network: models.NetworkName;
  options: Record<string, unknown>;
  input: [number, number, number, number];
  trainable: number;
  movingStatistics: number;
  inference?: LogitsRecord[];
  training?: LogitsRecord[];
  loss?: number;
  gradients?: Record<string, Digest>;
  moving?: Record<string, Digest>;
}

// Types inferred from so long a document say less than this one.
export const { cases } = oracle as unknown as { readonly cases: OracleCase[] };

/** What a test is called. */
export const title = ({ network, options }: OracleCase) => `${network} ${JSON.stringify(options)}`;

/** The model of a case, ending in logits. */
export function build({ network, options, input }: OracleCase): tfl.LayersModel {
  return models.create(network, { ...options, inputShape: [null, null, input[3]], head: 'logits', seed: 0 });
}

/** The largest error of a digest, relative to the norm of the reference or, where that is below it, to `floor`. */
export function digestError(actual: Digest, expected: Digest, floor = 0): number {
  const scale = Math.max(expected[0], floor);
  return Math.max(Math.abs(actual[0] - expected[0]), Math.abs(actual[1] - expected[1])) / scale;
}

/** The largest error of logits, relative to their standard deviation. Disposes the maps. */
export async function logitsError(maps: tf.Tensor[], records: LogitsRecord[]): Promise<number> {
  expect(maps.length).toBe(records.length);
  const heads = await Promise.all(maps.map((map) => map.data()));
  tf.dispose(maps);
  return Math.max(
    ...records.map(({ digest: expected, spread, values }, head) => {
      const actual = heads[head] ?? [];
      const samples = values.map((value, j) =>
        Math.abs((actual[Math.floor((j * actual.length) / values.length)] ?? Number.NaN) - value),
      );
      // The digest's scale: the norm of deviations from the mean.
      const norm = spread * Math.sqrt(actual.length);
      const [a, b] = digest(`logits${head}`, actual);
      return Math.max(
        ...samples.map((d) => d / spread),
        Math.abs(a - expected[0]) / norm,
        Math.abs(b - expected[1]) / norm,
      );
    }),
  );
}

const toList = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** Runs a model as a layer, so that `training` can be said. */
function run(model: tfl.LayersModel, x: tf.Tensor, training: boolean): tf.Tensor[] {
  return toList(model.apply(x, { training }) as tf.Tensor | tf.Tensor[]);
}

/** The mean over all pixels of logits times a formula vector, summed over the heads. */
function formulaLoss(maps: tf.Tensor[]): tf.Scalar {
  return tf.tidy(() => {
    const terms = maps.map((map, head) => {
      const target = tf.tensor(Float32Array.from(uniform(`target${head}`, map.size)), map.shape);
      return tf.mean(tf.mul(map, target)) as tf.Scalar;
    });
    return tf.addN(terms);
  });
}

/** Numbers in a list of weights. */
export const countWeights = (weights: tfl.LayerVariable[]) =>
  weights.reduce((sum, { shape }) => sum + shape.reduce<number>((size, length) => size * (length ?? 0), 1), 0);

/** Parameters and logits in inference mode equal PyTorch's. */
export async function checkInference(oracleCase: OracleCase, records: LogitsRecord[], tolerance = 1e-4): Promise<void> {
  const model = build(oracleCase);
  expect(countWeights(model.trainableWeights)).toBe(oracleCase.trainable);
  expect(countWeights(model.nonTrainableWeights)).toBe(oracleCase.movingStatistics);
  fill(model);
  const maps = tf.tidy(() => run(model, inputImage(oracleCase.input), false));
  expect(await logitsError(maps, records)).toBeLessThan(tolerance);
  model.dispose();
}

/** Logits, moving statistics and the gradient of every weight in training mode equal PyTorch's. */
export async function checkTraining(oracleCase: OracleCase): Promise<void> {
  const { training = [], gradients = {}, moving = {}, loss = Number.NaN } = oracleCase;
  const model = build(oracleCase);
  fill(model);
  const weights = namedWeights(model);
  const trainable = weights.filter(({ weight }) => weight.trainable);
  const x = inputImage(oracleCase.input);
  let maps: tf.Tensor[] = [];
  const { value, grads } = tf.variableGrads(
    () => {
      maps = run(model, x, true).map((map) => tf.keep(map));
      return formulaLoss(maps);
    },
    trainable.map(({ weight }) => weight.read() as tf.Variable),
  );
  expect(await logitsError(maps, training)).toBeLessThan(1e-4);
  const largest = Math.max(...Object.values(gradients).map(([norm]) => norm));
  expect(Math.abs(((await value.data())[0] ?? Number.NaN) - loss)).toBeLessThan(
    1e-4 * Math.max(...training.map((r) => r.spread)),
  );

  expect(trainable.map(({ name }) => name).sort()).toEqual(Object.keys(gradients).sort());
  const errors: { name: string; error: number }[] = [];
  for (const { name, weight } of trainable) {
    const expected = gradients[name] ?? [Number.NaN, Number.NaN];
    const actual = digest(name, (await grads[(weight.read() as tf.Variable).name]?.data()) ?? []);
    // A bias in front of a normalisation has no gradient but rounding.
    errors.push({ name, error: digestError(actual, expected, largest * 1e-3) });
  }
  expect(errors.filter((entry) => !(entry.error < 1e-3))).toEqual([]);

  const statistics = weights.filter(({ weight }) => !weight.trainable);
  expect(statistics.map(({ name }) => name).sort()).toEqual(Object.keys(moving).sort());
  for (const { name, weight } of statistics) {
    const expected = moving[name] ?? [Number.NaN, Number.NaN];
    expect(digestError(digest(name, await weight.read().data()), expected), name).toBeLessThan(1e-4);
  }
  tf.dispose([x, value, grads]);
  model.dispose();
}

/** The comparison of every narrow network, on the backend that is current when the tests run. */
export function pytorchSuite(): void {
  for (const oracleCase of cases) {
    const { inference, training } = oracleCase;
    if (inference === undefined || training === undefined) continue;
    test(`${title(oracleCase)}, inference`, () => checkInference(oracleCase, inference));
    test(`${title(oracleCase)}, training`, async () => {
      const before = tf.memory().numTensors;
      await checkTraining(oracleCase);
      expect(tf.memory().numTensors).toBe(before);
    });
  }
}
