/** A network that stands as a layer in another model: its divisor is found, its logits are named where they are. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layers, models } from '../../src/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';

const networkOf = (stages: number, name: string) =>
  models.uNet({ inputShape: [null, null, 1], widths: new Array<number>(stages).fill(2), seed: 1, name });

/** A model that applies others to one input, one after another. */
function chain(inner: readonly tfl.LayersModel[], name: string): tfl.LayersModel {
  const input = tfl.input({ shape: [null, null, 1] });
  const outputs = inner.reduce((x, model) => model.apply(x) as tfl.SymbolicTensor, input);
  return tfl.model({ inputs: input, outputs, name });
}

let before = 0;
beforeEach(async () => {
  await tf.setBackend('cpu');
  before = tf.memory().numTensors;
});
afterEach(() => expect(tf.memory().numTensors).toBe(before));

test('divisor finds the network inside a model, inside a model of that model, and after loading', async () => {
  const inner = networkOf(3, 'inner');
  const middle = chain([inner], 'middle');
  const outer = chain([middle], 'outer');
  expect([inner, middle, outer].map(models.divisor)).toEqual([4, 4, 4]);
  let artifacts: tf.io.ModelArtifacts = {};
  await outer.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const loaded = await models.load(tf.io.fromMemory(artifacts));
  expect(models.divisor(loaded)).toBe(4);
  loaded.dispose();
  outer.dispose();
});

test('divisor of several networks is their least common multiple', () => {
  const both = chain([networkOf(4, 'deep'), networkOf(2, 'flat')], 'both');
  expect(models.divisor(both)).toBe(8);
  both.dispose();
  // 6 is neither's multiple of the other.
  const input = tfl.input({ shape: [null, null, 1] });
  const guards = [4, 6].map((divisor, i) => new layers.SizeGuard({ divisor, name: `guard${i}` }));
  const outputs = guards.reduce((x, guard) => guard.apply(x) as tfl.SymbolicTensor, input);
  expect(models.divisor(tfl.model({ inputs: input, outputs }))).toBe(12);
  expect(models.divisor(tfl.model({ inputs: input, outputs: input }))).toBe(1);
});

test('logits of the inner network are named where they are', () => {
  const outer = chain([networkOf(2, 'inner')], 'outer');
  const call = () => models.logits(outer);
  expect(call).toThrow(InvalidArgumentError);
  expect(call).toThrow(
    new InvalidArgumentError(
      "The logits of the model 'outer' are inside its layer 'inner', a model of its own, and not among its own maps. Pass that model, getLayer('inner') of 'outer', or build on its outputs instead of applying it as a layer.",
    ),
  );
  const inner = outer.getLayer('inner');
  if (!(inner instanceof tfl.LayersModel)) throw new Error('The inner model is a model.');
  expect(models.logits(inner)).toHaveLength(1);
  outer.dispose();
});
