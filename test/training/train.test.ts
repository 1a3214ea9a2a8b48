/** The training loop: it learns, it goes on with the same bits, it stops when told, it leaks nothing. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { phantom, prepareSamples, type Sample } from '../../src/data/index.js';
import { create as createLoss } from '../../src/losses/index.js';
import { create, type NetworkName, names, pyConvUNet, uNet, uNetPlusPlus } from '../../src/models/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { type TrainingProgress, type TrainingState, train, validate } from '../../src/training/index.js';
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

  it('goes on with the same bits where it was aborted within a validation', async () => {
    // Batches of one: the validation part takes two, and the abort comes while the first is packed.
    const settings = { ...options, batchSize: 1, epochs: 2 };
    const expectedModel = narrow();
    const expected = await train(expectedModel, data, settings);
    const controller = new AbortController();
    const [first, ...others] = data.validation;
    let steps = 0;
    const telltale = Object.defineProperty({ ...first }, 'image', {
      get() {
        // Samples are looked at before the first step, too.
        if (steps === data.training.length) controller.abort();
        return first?.image;
      },
    }) as Sample;
    const states: TrainingState[] = [];
    const before = tf.memory().numTensors;
    const stopped = narrow();
    const built = tf.memory().numTensors - before;
    const interrupted = train(
      stopped,
      { ...data, validation: [telltale, ...others] },
      {
        ...settings,
        signal: controller.signal,
        onProgress: () => steps++,
        onState: (state) => void states.push(state),
      },
    );
    await expect(interrupted).rejects.toThrow('aborted');
    expect(tf.memory().numTensors).toBe(before + built);
    expect(states).toHaveLength(2);
    const state = states.at(-1);
    expect(state).toMatchObject({ epoch: 0, step: 5, history: { loss: [] }, optimizerSteps: 5 });
    const resumed = narrow();
    tf.tidy(() => resumed.setWeights(resumed.getWeights().map((weight) => tf.zerosLike(weight))));
    const result = await train(resumed, data, { ...settings, ...(state === undefined ? {} : { state }) });
    expect(result).toEqual(expected);
    expect(await weightBytes(resumed)).toEqual(await weightBytes(expectedModel));
    for (const model of [expectedModel, stopped, resumed]) model.dispose();
  });

  it('stops at the first loss that is not finite and keeps the last good state', async () => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const before = tf.memory().numTensors;
    const states: TrainingState[] = [];
    const broken = data.training.map((sample) => ({ ...sample, image: sample.image.map(() => Number.NaN) }));
    let epoch = 0;
    // Good in the first epoch: its images are replaced after it.
    const training = data.training.map((sample, i) =>
      Object.defineProperty({ ...sample }, 'image', { get: () => (epoch === 0 ? sample : broken[i])?.image }),
    ) as Sample[];
    const run = train(
      model,
      { ...data, training },
      {
        ...options,
        onState: (state) => void states.push(state),
        onEpoch: ({ epoch: finished }) => {
          epoch = finished;
        },
      },
    );
    await expect(run).rejects.toThrow(
      'Training diverged: the loss is NaN in step 1 of epoch 2. Lower the learning rate (0.001 here), or look for values in the images that are not finite.',
    );
    expect(states.map(({ epoch, step }) => [epoch, step])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect(states.every(({ tensors }) => tensors.every(({ data }) => data.every(Number.isFinite)))).toBe(true);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('refuses a validation without a finite loss, and leaks nothing', async () => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1, head: 'logits' });
    const before = tf.memory().numTensors;
    const broken = samples.map((sample) => ({ ...sample, image: sample.image.map(() => Number.NaN) }));
    const loss = createLoss('bce', { fromLogits: true });
    await expect(validate(model, broken, { loss, batchSize: 2 })).rejects.toThrow(
      "The validation loss is NaN. The network's weights are not finite (training diverged: lower the learning rate), or the images' values are not.",
    );
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('lets others run between the batches of a validation', async () => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1, head: 'logits' });
    const controller = new AbortController();
    let done = 0;
    const scoring = validate(model, samples, {
      ...{ loss: createLoss('bce', { fromLogits: true }), batchSize: 1, signal: controller.signal },
      onProgress: (progress) => {
        done = progress.done;
        // As a signal of the operating system: in the event loop's next turn.
        if (done === 1) setTimeout(() => controller.abort(), 0);
      },
    });
    await expect(scoring).rejects.toThrow('aborted');
    expect(done).toBeLessThan(4);
    model.dispose();
  });

  it.each([
    [{ epochs: 0 }, 'train: epochs must be a whole number of at least 1. Received: 0.'],
    [{ epochs: 1.5 }, 'train: epochs must be a whole number of at least 1. Received: 1.5.'],
    [{ batchSize: 0 }, 'train: batchSize must be a whole number of at least 1. Received: 0.'],
    [{ learningRate: Number.POSITIVE_INFINITY }, 'train: learningRate must be a finite number above 0. Received: Inf'],
    [{ microBatch: 0 }, 'train: microBatch must be a whole number from 1 to batchSize (5 here). Received: 0.'],
    [{ microBatch: 1.5 }, 'train: microBatch must be a whole number from 1 to batchSize (5 here). Received: 1.5.'],
    [
      { batchSize: 2, microBatch: 3 },
      'train: microBatch must be a whole number from 1 to batchSize (2 here). Received: 3.',
    ],
    [{ threads: 0 }, 'train: threads must be a whole number from 1 to 64. Received: 0.'],
    [{ threads: 65 }, 'train: threads must be a whole number from 1 to 64. Received: 65.'],
    [{ learningRate: 0 }, 'train: learningRate must be a finite number above 0. Received: 0.'],
    [{ augment: 'flip' as 'none' }, 'train: augment must be one of none, random, expand. Received: flip.'],
    [{ seed: 0.5 }, 'train: seed must be a whole number (0 is legal). Received: 0.5.'],
    [
      { epoch: 3 } as object,
      "train has no option 'epoch'. Its options are epochs, batchSize, microBatch, learningRate, threads,",
    ],
  ])('refuses %o', async (wrong, message) => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const refused = train(model, data, wrong);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(InvalidArgumentError);
    model.dispose();
  });

  it('refuses data without two parts', async () => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    for (const wrong of [{ training: data.training }, data.training, undefined]) {
      await expect(train(model, wrong as unknown as typeof data)).rejects.toThrow(
        'train takes its data as {training: samples, validation: samples}, two lists of samples.',
      );
    }
    model.dispose();
  });

  it('refuses a state of other steps than its own', async () => {
    const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
    const states: TrainingState[] = [];
    await train(model, data, { ...options, epochs: 2, onState: (current) => void states.push(current) });
    const state = states.at(-1);
    if (state === undefined) throw new Error('There is no state.');
    await expect(train(model, data, { ...options, batchSize: 5, state })).rejects.toThrow(
      'train: the state was taken after 6 steps, in epoch 3 after its step 0, but an epoch has 1 steps here. Go on with the training samples, batchSize and augment of the run that wrote it.',
    );
    const fewer = { ...data, training: data.training.slice(0, 3) };
    await expect(train(model, fewer, { ...options, state })).rejects.toThrow('but an epoch has 2 steps here');
    await expect(train(model, data, { ...options, state: { ...state, step: 4 } })).rejects.toThrow('after its step 4');
    await expect(train(model, data, { ...options, epochs: 1, state })).rejects.toThrow(
      'train: the state has finished 2 epochs and 0 steps, but the run ends after 1 epochs. Raise epochs.',
    );
    expect((await train(model, data, { ...options, epochs: 2, state })).history.loss).toHaveLength(2);
    model.dispose();
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
