/** What a network costs on this machine, measured: seconds for an image, largest sum of tensors alive. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { packBatch, type Sample } from '../data/index.js';
import { optimizeForInference, predictProbability } from '../inference/index.js';
import { create as createLoss, type LossName } from '../losses/index.js';
import { percentile } from '../metrics/index.js';
import { Adam } from '../optimizers/index.js';
import { trainingBytes } from '../plan/index.js';
import { logitsModel } from '../training/logitsModel.js';
import { pieceSizes } from '../training/microBatches.js';
import { trainStep } from '../training/step.js';
import { whyNotPlanned } from '../training/stepper.js';

/** Predictions that are timed, unless they take longer than this in all. */
const PASSES = 5;
const LONGEST_SECONDS = 10;

/** Of a float32. */
const BYTES = 4;

/** Median seconds of the prediction of one image, after one to warm up. */
export async function secondsPerImage(model: tfl.LayersModel, sample: Sample, threads: number): Promise<number> {
  await predictProbability(model, sample, { threads });
  const seconds: number[] = [];
  for (let total = 0; seconds.length < PASSES && total < LONGEST_SECONDS; ) {
    const started = performance.now();
    await predictProbability(model, sample, { threads });
    const taken = (performance.now() - started) / 1000;
    seconds.push(taken);
    total += taken;
  }
  return percentile(Float64Array.from(seconds), 50);
}

/** The largest sum of tensors alive during some work, less those that were alive before and are not the network's. */
async function peakOf(model: tfl.LayersModel, work: () => Promise<void>): Promise<number> {
  const others = tf.memory().numBytes - BYTES * model.countParams();
  const { peakBytes } = await tf.profile(async () => {
    await work();
    return [];
  });
  return peakBytes - others;
}

/** How steps are taken. */
interface StepOptions {
  readonly threads: number;
  /** Images that are computed at once. */
  readonly microBatch: number;
}

/** The memory of plans: that of a training step is known before it is taken. */
async function plannedBytes(
  model: tfl.LayersModel,
  network: tfl.LayersModel,
  batch: readonly [Sample, ...Sample[]],
  { threads, microBatch }: StepOptions,
): Promise<{ training: number; inference: number }> {
  const [{ height, width, channels, image }] = batch;
  const training = trainingBytes(
    network,
    pieceSizes({ batchSize: batch.length, microBatch }),
    [height, width, channels],
    { threads },
  );
  const optimized = await optimizeForInference(model, { threads });
  try {
    await predictProbability(optimized, { height, width, channels, image });
    return { training, inference: optimized.bytes };
  } finally {
    optimized.dispose();
  }
}

/**
 * Bytes at the fullest moment, weights included, of a training step with Adam and its moments, and of the prediction of one image: the
 * memory of the plans where backend wasm plans them, else of all tensors alive (what a backend holds besides, such as
 * unfolded maps or free blocks, is not in it).
 *
 * Where steps are not planned, the network has been trained by two more of them afterwards.
 */
export async function peakBytes(
  model: tfl.LayersModel,
  batch: readonly Sample[],
  { loss: lossName, threads, microBatch }: StepOptions & { readonly loss: LossName },
): Promise<{ training: number; inference: number }> {
  const [first, ...others] = batch;
  if (first === undefined) throw new Error('The peak needs at least one sample.');
  const network = logitsModel(model);
  if (whyNotPlanned(network) === null) return plannedBytes(model, network, [first, ...others], { threads, microBatch });
  const loss = createLoss(lossName, { fromLogits: true });
  const optimizer = new Adam({ learningRate: 1e-3 });
  try {
    const step = () => trainStep(network, loss, optimizer, packBatch(batch), microBatch).dispose();
    // The first step makes the moments, which are there in every later one.
    const before = tf.memory().numBytes;
    step();
    const moments = tf.memory().numBytes - before;
    const training = (await peakOf(model, async () => step())) + moments;
    optimizer.dispose();
    return { training, inference: await peakOf(model, async () => void (await predictProbability(model, first))) };
  } finally {
    optimizer.dispose();
  }
}
