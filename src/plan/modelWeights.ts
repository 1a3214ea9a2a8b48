/** The weights of a model, as plans take them over. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Weight } from '../engine/types.js';
import { findProvider } from '../runtime/providers.js';

/** The weights of a model by variable. */
export type WeightValues = ReadonlyMap<Weight, Float32Array>;

/**
 * Hands the weights over that a model has at one moment.
 *
 * @param use Gets the numbers where they lie, which is not sure any more when it has returned.
 */
export async function withWeights<T>(model: tfl.LayersModel, use: (weights: WeightValues) => T): Promise<T> {
  const wasm = findProvider('wasm');
  const read = new Map<object, Float32Array>();
  const valuesOf = (variable: tfl.LayerVariable): Float32Array | undefined => {
    const tensor = variable.read();
    return wasm?.inPlace?.(tensor) ?? read.get(tensor.dataId);
  };
  for (;;) {
    const weights = new Map<Weight, Float32Array>();
    const missing: tfl.LayerVariable[] = [];
    for (const variable of model.weights) {
      const values = valuesOf(variable);
      if (values === undefined) missing.push(variable);
      else weights.set(variable, values);
    }
    if (missing.length === 0) return use(weights);
    // What is assigned or moved meanwhile has other data, and is looked for once more.
    await Promise.all(
      missing.map(async (variable) => {
        const tensor = variable.read();
        read.set(tensor.dataId, new Float32Array(await tensor.data<'float32' | 'int32' | 'bool'>()));
      }),
    );
  }
}

/** Copies of all weights. */
export const readWeights = (model: tfl.LayersModel): Promise<WeightValues> =>
  withWeights(model, (weights) => new Map([...weights].map(([variable, values]) => [variable, values.slice()])));

/** What stands for the values of the weights: an assignment gives a variable another. */
export const weightIdentities = (model: tfl.LayersModel): object[] =>
  model.weights.map((weight) => weight.read().dataId);
