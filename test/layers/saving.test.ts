/** Models of our layers saved and loaded through every kind of handler that tfjs has, and beside other packages' classes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, expect, it } from 'vitest';
import { PyConv2D, pyConv2d } from '../../src/layers/index.js';
import { describeBackends } from '../backends.js';
import { relativeError } from '../naive.js';
import { CASES, modelOf } from './layerCases.js';

async function artifactsOf(model: tfl.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  if (saved === undefined) throw new Error('The model was not saved.');
  return saved;
}

/** Storage on disk, as a program outside of tfjs-node writes it: one JSON file and one of weights. */
function fileHandler(folder: string): tf.io.IOHandler {
  const [topology, weights] = [join(folder, 'model.json'), join(folder, 'weights.bin')];
  return {
    async save({ weightData, ...rest }) {
      const buffer = Array.isArray(weightData) ? weightData[0] : weightData;
      writeFileSync(topology, JSON.stringify(rest));
      writeFileSync(weights, new Uint8Array(buffer ?? new ArrayBuffer(0)));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
    async load() {
      const bytes = readFileSync(weights);
      const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      return { ...JSON.parse(readFileSync(topology, 'utf8')), weightData };
    },
  };
}

/** The browser's local storage, as far as tfjs uses it. */
function withLocalStorage<T>(action: () => Promise<T>): Promise<T> {
  const entries = new Map<string, string>();
  const localStorage = {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => entries.set(key, value),
    removeItem: (key: string) => entries.delete(key),
  };
  const isBrowser = tf.env().getBool('IS_BROWSER');
  Reflect.set(globalThis, 'window', { localStorage });
  tf.env().set('IS_BROWSER', true);
  return action().finally(() => {
    tf.env().set('IS_BROWSER', isBrowser);
    Reflect.deleteProperty(globalThis, 'window');
  });
}

const roundTrips: [string, (model: tfl.LayersModel) => Promise<tfl.LayersModel>][] = [
  ['handlers in memory', async (model) => tfl.loadLayersModel(tf.io.fromMemory(await artifactsOf(model)))],
  [
    'files',
    async (model) => {
      const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-'));
      try {
        await model.save(fileHandler(folder));
        return await tfl.loadLayersModel(fileHandler(folder));
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  ],
  [
    'local storage of a browser',
    (model) =>
      withLocalStorage(async () => {
        await model.save('localstorage://layer');
        return tfl.loadLayersModel('localstorage://layer');
      }),
  ],
];

const image = (channels: number) => tf.randomNormal<tf.Rank.R4>([2, 7, 6, channels], 0, 1, 'float32', 8);
const predict = (model: tfl.LayersModel, x: tf.Tensor): tf.Tensor => {
  const y = model.predict(x);
  if (!(y instanceof tf.Tensor)) throw new Error('The model has one output.');
  return y;
};

describeBackends('saving', () => {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  afterEach(() => {
    delete classNameMap.PyConv2D;
  });

  for (const [through, roundTrip] of roundTrips) {
    it.each(CASES)(`$title: predicts the same after ${through}`, async ({ make, channels }) => {
      const before = tf.memory().numTensors;
      const model = modelOf(make(), channels);
      const x = image(channels);
      // Moving statistics and biases away from what a new layer has.
      const weights = tf.tidy(() => model.getWeights().map((w, i) => tf.keep(tf.add(tf.abs(w), 0.1 + 0.01 * i))));
      model.setWeights(weights);
      const loaded = await roundTrip(model);
      const [expected, actual] = [predict(model, x), predict(loaded, x)];
      // A norm constraint of tfjs shrinks weights by 1e-7 whenever they are set.
      expect(relativeError(await actual.data(), await expected.data())).toBeLessThan(1e-6);
      expect(loaded.layers.map((layer) => layer.getConfig())).toEqual(model.layers.map((layer) => layer.getConfig()));
      expect(loaded.layers.map((layer) => layer.constructor)).toEqual(model.layers.map((layer) => layer.constructor));
      tf.dispose([x, weights, expected, actual]);
      model.dispose();
      loaded.dispose();
      // tfjs leaves behind one tensor for each constraint when it loads weights, in layers of its own too.
      const constrained = model.weights.filter(({ constraint }) => constraint != null).length;
      expect(tf.memory().numTensors).toBe(before + constrained);
    });
  }

  it('continues to train after loading', async () => {
    const model = modelOf(pyConv2d({ filters: 8, groups: 'auto' }), 2);
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(await artifactsOf(model)));
    const optimizer = tf.train.sgd(0.05);
    loaded.compile({ optimizer, loss: 'meanSquaredError' });
    const [x, target] = [image(2), tf.zeros<tf.Rank.R4>([2, 7, 6, 8])];
    const losses = [Number(await loaded.trainOnBatch(x, target)), Number(await loaded.trainOnBatch(x, target))];
    expect(losses[1]).toBeLessThan(losses[0] ?? Number.NaN);
    tf.dispose([x, target]);
    optimizer.dispose();
    model.dispose();
    loaded.dispose();
  });

  it("is not disturbed by another package's class of the same name, nor disturbs it", async () => {
    class Foreign extends tfl.layers.Layer {
      static readonly className = 'PyConv2D';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const [x] = Array.isArray(inputs) ? inputs : [inputs];
        if (x === undefined) throw new Error('no input');
        return tf.tidy(() => tf.neg(x));
      }
    }
    tf.serialization.registerClass(Foreign);
    const input = tfl.input({ shape: [4, 4, 4] });
    const ours = pyConv2d({ filters: 8, kernelSizes: [3, 5] }).apply(input) as tfl.SymbolicTensor;
    const outputs = new Foreign({ name: 'foreign' }).apply(ours) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs });
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(await artifactsOf(model)));
    expect(loaded.layers[1]).toBeInstanceOf(PyConv2D);
    expect(loaded.layers[2]).toBeInstanceOf(Foreign);
    const x = tf.ones<tf.Rank.R4>([1, 4, 4, 4]);
    const [expected, actual] = [predict(model, x), predict(loaded, x)];
    expect(await actual.data()).toEqual(await expected.data());
    tf.dispose([x, expected, actual]);
    model.dispose();
    loaded.dispose();
  });
});
