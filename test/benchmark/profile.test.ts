/** Where the time goes: sums of hand-made steps, and the steps of real plans. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { profile, summariseSteps } from '../../src/benchmark/profile.js';
import * as models from '../../src/models/index.js';
import { findProvider } from '../../src/runtime/providers.js';
import { startBackend } from '../backends.js';

describe('summariseSteps', () => {
  const steps = [
    { name: 'input', kind: 'input', macs: 0, calls: 1, ms: 1 },
    { name: 'encoder1/conv1', kind: 'nested', macs: 3e6, calls: 4, ms: 2 },
    { name: 'encoder1/conv2', kind: '1x1', macs: 1e6, calls: 2, ms: 1 },
    { name: 'decoder1/conv1', kind: 'nested', macs: 3e6, calls: 5, ms: 4 },
  ];

  it('adds up by kind, the longest first, and by stage in order', () => {
    const { ms, gflops, kinds, stages } = summariseSteps(steps);
    expect(ms).toBe(8);
    expect(gflops).toBeCloseTo((2 * 7e6) / 8e6, 9);
    expect(kinds).toEqual([
      { name: 'nested', ms: 6, share: 0.75, gflops: 2, calls: 9 },
      { name: 'input', ms: 1, share: 0.125, gflops: null, calls: 1 },
      { name: '1x1', ms: 1, share: 0.125, gflops: 2, calls: 2 },
    ]);
    expect(stages.map(({ name, ms: time, calls }) => [name, time, calls])).toEqual([
      ['input', 1, 1],
      ['encoder1', 3, 6],
      ['decoder1', 4, 5],
    ]);
  });

  it('keeps each step', () => {
    expect(summariseSteps(steps).steps[1]).toEqual({
      ...{ name: 'encoder1/conv1', kind: 'nested', ms: 2, share: 0.25, gflops: 3, calls: 4 },
    });
  });
});

describe('profile', () => {
  beforeAll(() => startBackend('wasm'));

  const kernels = () => {
    const found = findProvider('wasm')?.kernels;
    if (found === undefined) throw new Error('Backend wasm brings kernels.');
    return found;
  };
  const options = { size: [16, 16], batchSize: 2 } as const;

  it.each(['inference', 'training'] as const)(
    'of %s has every layer with filters, and leaves the model alone',
    async (work) => {
      const before = tf.memory().numTensors;
      const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
      const weights = () => model.getWeights().map((weight) => [...weight.dataSync()]);
      const values = weights();
      const { ms, kinds, stages, steps } = await profile(model, kernels(), { work, ...options }, {});
      const layers = model.layers.filter((layer) => layer.getClassName().includes('Conv2D')).map(({ name }) => name);
      expect(steps.filter(({ gflops }) => gflops !== null).map(({ name }) => name)).toEqual(
        expect.arrayContaining(layers),
      );
      expect(stages.map(({ name }) => name)).toEqual(expect.arrayContaining(['encoder1', 'encoder2', 'decoder1']));
      expect(kinds.some(({ name }) => name === (work === 'training' ? 'adam' : 'pool'))).toBe(true);
      for (const rows of [kinds, stages, steps]) {
        expect(rows.reduce((sum, row) => sum + row.share, 0)).toBeCloseTo(1, 6);
        expect(rows.reduce((sum, row) => sum + row.ms, 0)).toBeCloseTo(ms, 6);
      }
      expect(weights()).toEqual(values);
      model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('of training is of the step that is taken, with dropout and penalties', async () => {
    const build = (penalty: boolean) => {
      const image = tfl.input({ shape: [null, null, 1] });
      const conv = tfl.layers.conv2d({
        ...{ filters: 4, kernelSize: 3, padding: 'same', name: 'conv' },
        ...(penalty ? { kernelRegularizer: tfl.regularizers.l2({ l2: 0.1 }) } : {}),
      });
      const dropped = tfl.layers.dropout({ rate: 0.5 }).apply(conv.apply(image)) as tfl.SymbolicTensor;
      const logits = tfl.layers.conv2d({ filters: 1, kernelSize: 1, name: 'logits' }).apply(dropped);
      return tfl.model({ inputs: image, outputs: logits as tfl.SymbolicTensor });
    };
    const callsOf = async (penalty: boolean) => {
      const model = build(penalty);
      const { steps } = await profile(model, kernels(), { work: 'training', ...options }, {});
      model.dispose();
      return steps.reduce((sum, { calls }) => sum + calls, 0);
    };
    expect(await callsOf(true)).toBeGreaterThan(await callsOf(false));
  });

  it('of a network that is not planned is refused with the layer', async () => {
    const model = tfl.sequential({
      layers: [tfl.layers.conv2d({ inputShape: [null, null, 1], filters: 1, kernelSize: 1, activation: 'selu' })],
    });
    await expect(profile(model, kernels(), { work: 'inference', ...options }, {})).rejects.toThrow('selu');
    model.dispose();
  });

  it('stops on a signal', async () => {
    const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(profile(model, kernels(), { work: 'inference', ...options }, { signal })).rejects.toBe(reason);
    model.dispose();
  });
});
