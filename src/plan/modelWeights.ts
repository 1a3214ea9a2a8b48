/** The weights of a model, as plans take them over. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Weight } from '../engine/types.js';
import { findProvider } from '../runtime/providers.js';

/** The weights of a model by variable. */
export type WeightValues = ReadonlyMap<Weight, Float32Array>;

/**
 * Hands all weights of a model over at once.
 *
 * @param use Gets the numbers where they lie, which is not sure any more when it has returned.
 */
export async function withWeights<T>(model: tfl.LayersModel, use: (weights: WeightValues) => T): Promise<T> {
  const wasm = findProvider('wasm');
  const inPlace = (variable: tfl.LayerVariable) => wasm?.inPlace?.(variable.read()) ?? null;
  const read = await Promise.all(
    model.weights
      .filter((variable) => inPlace(variable) === null)
      .map(async (variable) => [variable, await variable.read().data<'float32'>()] as const),
  );
  const elsewhere = new Map<Weight, Float32Array>(read);
  return use(
    new Map(
      model.weights.map((variable) => [
        variable,
        inPlace(variable) ?? elsewhere.get(variable) ?? variable.read().dataSync<'float32'>(),
      ]),
    ),
  );
}

/** Copies of all weights. */
export const readWeights = (model: tfl.LayersModel): Promise<WeightValues> =>
  withWeights(model, (weights) => new Map([...weights].map(([variable, values]) => [variable, values.slice()])));

/** What stands for the values of the weights: an assignment gives a variable another. */
export const weightIdentities = (model: tfl.LayersModel): object[] =>
  model.weights.map((weight) => weight.read().dataId);
