/** A model's predictions by a plan that is kept for the next ones, and who ends the plan. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { weightIdentities } from '../plan/index.js';
import { OutOfMemoryError } from '../runtime/errors.js';
import { OptimizedModel } from './optimize.js';

/** What predicts a model's output. */
export type Predictor = Pick<OptimizedModel, 'predict'>;

/**
 * Predicts with a model: on backend wasm by a plan, elsewhere and for images that the plan's memory cannot hold by the model itself, layer by
 * layer, where maps are given up one by one. Its owner disposes of it; the model stays.
 */
export class ModelPredictor implements Predictor {
  private optimized: OptimizedModel | null = null;
  private weights: readonly object[] = [];
  private isDisposed = false;
  /** Calls at the same time share one plan: each begins when the one before has ended. */
  private last: Promise<unknown> = Promise.resolve();

  /** @param threads Of the plan. */
  constructor(
    readonly model: tfl.LayersModel,
    private readonly threads = 1,
  ) {}

  /** Plans the model where it is not planned, and takes over weights that have changed; to be awaited before {@link predict}. */
  ready(): Promise<void> {
    const turn = this.last.then(() => this.prepare());
    this.last = turn.catch(() => {});
    return turn;
  }

  predict(x: tf.Tensor4D): tf.Tensor | tf.Tensor[] {
    const layerByLayer = () => this.model.predict(x, { batchSize: x.shape[0] });
    if (this.optimized === null || tf.getBackend() !== 'wasm') return layerByLayer();
    try {
      return this.optimized.predict(x);
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      try {
        return layerByLayer();
      } catch (second) {
        // The plan's error names the image.
        throw second instanceof OutOfMemoryError ? error : second;
      }
    }
  }

  /** Ends the plan's threads and gives its memory back. */
  dispose(): void {
    this.isDisposed = true;
    this.release();
  }

  private release(): void {
    this.optimized?.dispose();
    this.optimized = null;
  }

  private async prepare(): Promise<void> {
    if (tf.getBackend() !== 'wasm') return;
    const weights = weightIdentities(this.model);
    // Without its threads the plan would fail from now on.
    if (this.optimized?.isLost) this.release();
    if (this.optimized === null) this.optimized = await this.plan();
    else if (weights.some((id, i) => id !== this.weights[i])) await this.optimized.reload();
    this.weights = weights;
    if (this.isDisposed) this.release();
  }

  /** The plan, or null where memory does not suffice. */
  private async plan(): Promise<OptimizedModel | null> {
    try {
      return await OptimizedModel.create(this.model, 'fast', this.threads);
    } catch (error) {
      if (error instanceof OutOfMemoryError) return null;
      throw error;
    }
  }
}

/** By model and number of threads; threads end when nothing refers to their model any more. */
const kept = new WeakMap<tfl.LayersModel, Map<number, ModelPredictor>>();

/** What predicts with a model from call to call, planned once for a number of threads and again when its weights have changed. */
export async function predictorOf(model: tfl.LayersModel, threads = 1): Promise<Predictor> {
  const predictors = kept.get(model) ?? new Map<number, ModelPredictor>();
  kept.set(model, predictors);
  const predictor = predictors.get(threads) ?? new ModelPredictor(model, threads);
  predictors.set(threads, predictor);
  await predictor.ready();
  return predictor;
}

/** Ends the plans that {@link predictorOf} keeps for a model: for an owner who will not predict with it any more. */
export function releasePredictors(model: tfl.LayersModel): void {
  for (const predictor of kept.get(model)?.values() ?? []) predictor.dispose();
  kept.delete(model);
}
