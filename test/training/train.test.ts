/** The training loop: it learns, it goes on with the same bits, it stops when told, it leaks nothing. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { phantom, prepareSamples, type Sample } from '../../src/data/index.js';
import { create, type NetworkName, names, pyConvUNet, uNet, uNetPlusPlus } from '../../src/models/index.js';
import { type TrainingProgress, type TrainingState, train } from '../../src/training/index.js';
import { describeBackends } from '../backends.js';

const whole = prepareSamples(phantom('lung', { count: 7, size: 32 })).samples;

/** The middle of a sample: plain loops of the cpu backend are slow. */
function middle(sample: Sample): Sample {
  const size = 16;
  const at = (i: number) => (8 + Math.floor(i / size)) * sample.width + 8 + (i % size);
  const length = size * size;
  return {
    ...sample,
    width: size,
    height: size,
    image: Float32Array.from({ length }, (_, i) => sample.image[at(i)] ?? 0),
    mask: Uint8Array.from({ length }, (_, i) => sample.mask[at(i)] ?? 0),
  };
}

const narrow = (seed = 1) => pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed, dropout: 0.2 });
const options = { epochs: 3, batchSize: 2, seed: 3 } as const;

async function weightBytes(model: tfl.LayersModel): Promise<number[]> {
  const arrays = await Promise.all(model.getWeights().map((weight) => weight.data()));
  return arrays.flatMap((array) => [...new Uint8Array(Float32Array.from(array).buffer)]);
}

describeBackends('train', (backend) => {
  const samples = backend === 'cpu' ? whole.map(middle) : whole;
  const data = { training: samples.slice(0, 5), validation: samples.slice(5) };

  it('lowers the loss, keeps a history and leaks nothing', async () => {
    const model = narrow();
    const before = tf.memory().numTensors;
    const { history, best } = await train(model, data, { ...options, epochs: 6, learningRate: 1e-2 });
    expect(tf.memory().numTensors).toBe(before);
    expect(history.loss).toHaveLength(6);
    expect(history.loss[5]).toBeLessThan(0.7 * (history.loss[0] ?? 0));
    expect(Math.max(...history.valDice)).toBe(best?.dice);
    expect(history.valDice[(best?.epoch ?? 0) - 1]).toBe(best?.dice);
    model.dispose();
  });

  it('goes on from a state, taken between or within epochs, with the same bits', async () => {
    const uninterrupted = narrow();
    const expected = await train(uninterrupted, data, options);
    const bytes = await weightBytes(uninterrupted);
    for (const stopAt of [1, 3, 5]) {
      const controller = new AbortController();
      const states: TrainingState[] = [];
      const stopped = narrow();
      const interrupted = train(stopped, data, {
        ...options,
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done === stopAt) controller.abort();
        },
        onState: (state) => void states.push(state),
      });
      await expect(interrupted).rejects.toThrow('aborted');
      const state = states.at(-1);
      expect(state && state.epoch * 3 + state.step).toBe(stopAt);
      const resumed = narrow();
      // Every value must come from the state, not from the construction.
      tf.tidy(() => resumed.setWeights(resumed.getWeights().map((weight) => tf.zerosLike(weight))));
      const result = await train(resumed, data, { ...options, ...(state === undefined ? {} : { state }) });
      expect(result).toEqual(expected);
      expect(await weightBytes(resumed)).toEqual(bytes);
      stopped.dispose();
      resumed.dispose();
    }
    uninterrupted.dispose();
  });

  it('reports progress that never goes back', async () => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const reports: TrainingProgress[] = [];
    await train(model, data, { ...options, onProgress: (progress) => void reports.push(progress) });
    expect(reports.map(({ done }) => done)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(reports.map(({ epoch }) => epoch)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
    expect(reports.at(-1)).toMatchObject({ status: 'training', total: 9, epochs: 3, secondsLeft: 0 });
    model.dispose();
  });

  it('enlarges the training part five times under expand', async () => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    let total = 0;
    await train(model, data, { ...options, epochs: 1, augment: 'expand', onProgress: (p) => (total = p.total) });
    expect(total).toBe(Math.ceil(25 / 2));
    model.dispose();
  });

  it('takes the mean over the heads of deep supervision, and labels of several classes', async () => {
    const deep = uNetPlusPlus({ widths: [4, 8, 8], inputShape: [null, null, 1], seed: 1, deepSupervision: true });
    const { history } = await train(deep, data, { ...options, epochs: 1 });
    expect(history.loss[0]).toBeGreaterThan(0);
    deep.dispose();
    const classes = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1, numClasses: 3 });
    const labelled = samples.map((sample) => ({
      ...sample,
      mask: sample.mask.map((v, i) => (v > 0 && i % 2 === 0 ? 2 : v)),
    }));
    const result = await train(
      classes,
      { training: labelled.slice(0, 5), validation: labelled.slice(5) },
      { ...options, epochs: 2 },
    );
    expect(result.history.loss[1]).toBeLessThan(result.history.loss[0] ?? 0);
    classes.dispose();
  });

  it('says what is wrong with the data', async () => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    await expect(train(model, { training: samples, validation: [] })).rejects.toThrow(
      'Training needs at least one sample in each part. Received: 7 for training, 0 for validation. Give more images, or another share for validation.',
    );
    model.dispose();
  });

  // Plain loops of the cpu backend would take minutes for the wide ones.
  if (backend !== 'cpu') {
    const small: { [Name in NetworkName]?: object } = {
      pyconvunet: { widths: [8, 16, 32] },
      unet: { widths: [4, 8, 16] },
      'unet++': { widths: [4, 8, 16] },
      'attention-unet': { widths: [4, 8, 16] },
      'resnet34-unet': { widths: [4, 8, 16, 32], blocksPerStage: [1, 1, 1, 1] },
      multiresunet: { widths: [8, 16, 32] },
      fcn8s: { widths: [4, 8, 8, 8, 8] },
    };
    it.each(names)('trains %s', async (name) => {
      const model = create(name, { inputShape: [null, null, 1], seed: 2, ...small[name] });
      const { history } = await train(model, data, { epochs: 12, batchSize: 5, learningRate: 1e-2, augment: 'none' });
      expect(history.loss[11]).toBeLessThan(0.9 * (history.loss[0] ?? 0));
      model.dispose();
    });
  }
});
