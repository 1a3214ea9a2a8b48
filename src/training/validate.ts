/** Loss and confusion matrix of a model over samples, in batches. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchIndices, packBatch, type Sample } from '../data/index.js';
import { ModelPredictor } from '../inference/predictor.js';
import type { Loss } from '../losses/index.js';
import { ConfusionMatrix } from '../metrics/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { LongCallOptions } from '../runtime/progress.js';
import { yieldToOthers } from '../runtime/yieldToOthers.js';
import { batchTensors } from './step.js';

/** Options of {@link validate}. */
export interface ValidateOptions extends LongCallOptions {
  readonly loss: Loss;
  readonly batchSize: number;
  /** Of plans on backend wasm; the scores do not depend on it. Default 1. */
  readonly threads?: number;
  /** Foreground where the probability is at least this. Default 0.5. */
  readonly threshold?: number;
}

/** Scores of a model on samples. */
export interface Scores {
  /** Mean over samples. */
  readonly loss: number;
  readonly matrix: ConfusionMatrix;
}

const notFinite = (loss: number): InvalidArgumentError =>
  new InvalidArgumentError(
    `The validation loss is ${loss}. The network's weights are not finite (training diverged: lower the learning rate), or the images' values are not.`,
  );

/**
 * Scores a network on samples, with its moving statistics.
 *
 * @param logitsModel The network that ends in its logits (see `models.logits`); of several heads the last one is scored.
 * @throws InvalidArgumentError where the loss is not finite; `signal.reason` where aborted.
 */
export async function validate(
  logitsModel: tfl.LayersModel,
  samples: readonly Sample[],
  options: ValidateOptions,
): Promise<Scores> {
  const predictor = new ModelPredictor(logitsModel, options.threads);
  try {
    return await validateBy(predictor, samples, options);
  } finally {
    predictor.dispose();
  }
}

/** {@link validate} by what the caller keeps for the next time. */
export async function validateBy(
  predictor: ModelPredictor,
  samples: readonly Sample[],
  options: Omit<ValidateOptions, 'threads'>,
): Promise<Scores> {
  const { loss, batchSize, threshold = 0.5, signal, onProgress } = options;
  const [output] = predictor.model.outputs.slice(-1);
  const channels = output?.shape[3] ?? 1;
  const matrix = new ConfusionMatrix({ numClasses: channels === 1 ? 2 : channels, threshold, emptyPolicy: 'one' });
  const order = samples.map((_, index) => index);
  let lossSum = 0;
  let done = 0;
  await predictor.ready();
  for (const indices of batchIndices(order, batchSize)) {
    signal?.throwIfAborted();
    const batch = packBatch(indices.flatMap((index) => samples[index] ?? []));
    const { value, probability, yTrue } = tf.tidy(() => {
      const tensors = batchTensors(batch);
      const [last] = [predictor.predict(tensors.x)].flat().slice(-1);
      if (last === undefined) throw new Error('The network has no output.');
      return {
        value: loss(tensors.yTrue, last),
        probability: channels === 1 ? tf.sigmoid(last) : tf.softmax(last),
        yTrue: tensors.yTrue,
      };
    });
    try {
      lossSum += ((await value.data())[0] ?? Number.NaN) * batch.count;
      if (!Number.isFinite(lossSum)) throw notFinite(lossSum);
      await matrix.update(yTrue, probability);
    } finally {
      tf.dispose([value, probability, yTrue]);
    }
    done += batch.count;
    onProgress?.({ status: 'validating', done, total: samples.length });
    await yieldToOthers();
  }
  return { loss: lossSum / samples.length, matrix };
}
