/** The networks against PyTorch: counts, logits, moving statistics and every gradient. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import * as models from '../../src/models/index.js';
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

const oracle = new URL('../oracles/networks.json', import.meta.url);
export const { cases }: { cases: OracleCase[] } = JSON.parse(readFileSync(oracle, 'utf8'));

/** What a test is called. */
export const title = ({ network, options }: OracleCase) => `${network} ${JSON.stringify(options)}`;

/** The model of a case, ending in logits. */
export function build({ network, options, input }: OracleCase): tfl.LayersModel {
  return models.create(network, { ...options, inputShape: [null, null, input[3]], head: 'logits', seed: 0 });
}

/** The largest error of a digest, relative to the norm of the reference or, where that is below it, to `floor`. */
function digestError(actual: Digest, expected: Digest, floor = 0): number {
  const scale = Math.max(expected[0], floor);
  return Math.max(Math.abs(actual[0] - expected[0]), Math.abs(actual[1] - expected[1])) / scale;
}

/** The largest error of logits, relative to their standard deviation. */
function logitsError(maps: tf.Tensor[], records: LogitsRecord[]): number {
  expect(maps.length).toBe(records.length);
  return Math.max(
    ...records.map(({ digest: expected, spread, values }, head) => {
      const actual = maps[head]?.dataSync() ?? [];
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
export function checkInference(oracleCase: OracleCase, records: LogitsRecord[], tolerance = 1e-4): void {
  const model = build(oracleCase);
  expect(countWeights(model.trainableWeights)).toBe(oracleCase.trainable);
  expect(countWeights(model.nonTrainableWeights)).toBe(oracleCase.movingStatistics);
  fill(model);
  const error = tf.tidy(() => logitsError(run(model, inputImage(oracleCase.input), false), records));
  expect(error).toBeLessThan(tolerance);
  model.dispose();
}

/** Logits, moving statistics and the gradient of every weight in training mode equal PyTorch's. */
export function checkTraining(oracleCase: OracleCase): void {
  const { training = [], gradients = {}, moving = {}, loss = Number.NaN } = oracleCase;
  const model = build(oracleCase);
  fill(model);
  const weights = namedWeights(model);
  const trainable = weights.filter(({ weight }) => weight.trainable);
  const x = inputImage(oracleCase.input);
  let error = Number.NaN;
  const { value, grads } = tf.variableGrads(
    () => {
      const maps = run(model, x, true);
      error = logitsError(maps, training);
      return formulaLoss(maps);
    },
    trainable.map(({ weight }) => weight.read() as tf.Variable),
  );
  expect(error).toBeLessThan(1e-4);
  const largest = Math.max(...Object.values(gradients).map(([norm]) => norm));
  expect(Math.abs((value.dataSync()[0] ?? Number.NaN) - loss)).toBeLessThan(
    1e-4 * Math.max(...training.map((r) => r.spread)),
  );

  expect(trainable.map(({ name }) => name).sort()).toEqual(Object.keys(gradients).sort());
  const errors = trainable.map(({ name, weight }) => {
    const expected = gradients[name] ?? [Number.NaN, Number.NaN];
    const actual = digest(name, grads[(weight.read() as tf.Variable).name]?.dataSync() ?? []);
    // A bias in front of a normalisation has no gradient but rounding.
    return { name, error: digestError(actual, expected, largest * 1e-3) };
  });
  expect(errors.filter((entry) => !(entry.error < 1e-3))).toEqual([]);

  const statistics = weights.filter(({ weight }) => !weight.trainable);
  expect(statistics.map(({ name }) => name).sort()).toEqual(Object.keys(moving).sort());
  for (const { name, weight } of statistics) {
    const expected = moving[name] ?? [Number.NaN, Number.NaN];
    expect(digestError(digest(name, weight.read().dataSync()), expected), name).toBeLessThan(1e-4);
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
    test(`${title(oracleCase)}, training`, () => {
      const before = tf.memory().numTensors;
      checkTraining(oracleCase);
      expect(tf.memory().numTensors).toBe(before);
    });
  }
}
