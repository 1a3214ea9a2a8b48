/** The seven networks, by factory and by name. */
import * as tfl from '@tensorflow/tfjs-layers';
import { SizeGuard } from '../layers/sizeGuard.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { attentionUNet } from './attentionUNet.js';
import { fcn8s } from './fcn8s.js';
import { multiResUNet } from './multiResUNet.js';
import { pyConvUNet } from './pyConvUNet.js';
import { resNet34UNet } from './resNet34UNet.js';
import { uNet } from './uNet.js';
import { uNetPlusPlus } from './uNetPlusPlus.js';

export * from './attentionUNet.js';
export * from './fcn8s.js';
export { load } from './load.js';
export * from './multiResUNet.js';
export type { NetworkOptions } from './options.js';
export * from './pyConvUNet.js';
export * from './resNet34UNet.js';
export * from './uNet.js';
export * from './uNetPlusPlus.js';

/** Every network by its name, in the order of {@link names}. */
const factories = {
  pyconvunet: pyConvUNet,
  unet: uNet,
  'unet++': uNetPlusPlus,
  'attention-unet': attentionUNet,
  'resnet34-unet': resNet34UNet,
  multiresunet: multiResUNet,
  fcn8s,
};

/** The name of a network, as the command and run folders write it. */
export type NetworkName = keyof typeof factories;

/** The options of each network, by its name. */
export type NetworkConfigs = { [Name in NetworkName]: NonNullable<Parameters<(typeof factories)[Name]>[0]> };

/** The same by a type with which a name that is not known yet can be looked up. */
const FACTORIES: { readonly [Name in NetworkName]: (config?: NetworkConfigs[Name]) => tfl.LayersModel } = factories;

/** The names of all networks. */
export const names: readonly NetworkName[] = Object.freeze(Object.keys(factories).filter(isNetworkName));

/** Whether `name` is one of {@link names}. */
export function isNetworkName(name: string): name is NetworkName {
  return Object.hasOwn(FACTORIES, name);
}

/**
 * Builds a network by its name.
 *
 * @param name One of {@link names}.
 * @param config The options of that network's factory.
 * @returns The model.
 * @throws InvalidArgumentError where there is no such network, and what the factory throws.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.create('unet', { widths: [8, 16], numClasses: 3, seed: 1 });
 * console.log(model.outputs[0]?.shape); // [null, null, null, 3]
 * ```
 */
export function create<Name extends NetworkName>(name: Name, config: NetworkConfigs[Name] = {}): tfl.LayersModel {
  if (!isNetworkName(name)) {
    throw new InvalidArgumentError(`There is no network '${name}'. Choose one of: ${names.join(', ')}.`);
  }
  return FACTORIES[name](config);
}

/** The models that stand as layers in a model, and in those models, each with the model that holds it. */
function nestedModels(model: tfl.LayersModel): { readonly outer: tfl.LayersModel; readonly inner: tfl.LayersModel }[] {
  return model.layers.flatMap((layer) =>
    layer instanceof tfl.LayersModel ? [{ outer: model, inner: layer }, ...nestedModels(layer)] : [],
  );
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;

/**
 * What height and width must be multiples of, read from the model itself, so that it also holds for a loaded one.
 *
 * @param model A network of this package, new or loaded, or a model with such networks as layers, which then are taken to see
 *   its images in full resolution.
 * @returns The divisor in pixels, of several networks their least common multiple; 1 where the model says nothing.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * console.log(models.divisor(models.uNet({ widths: [8, 16, 32] }))); // 4
 * ```
 */
export function divisor(model: tfl.LayersModel): number {
  return [model, ...nestedModels(model).map(({ inner }) => inner)]
    .flatMap(({ layers }) => layers)
    .reduce(
      (multiple, layer) => (layer instanceof SizeGuard ? leastCommonMultiple(multiple, layer.divisor) : multiple),
      1,
    );
}

const isHead = (layer: tfl.layers.Layer): boolean => /^logits\d*$/.test(layer.name);

/**
 * The maps of logits that losses are computed from: those before the activations, in the order of the model's outputs. With
 * deep supervision there are several, and the last is the network's prediction.
 *
 * @param model A network of this package, new or loaded.
 * @returns One symbolic map per output.
 * @throws InvalidArgumentError where the model has no layer named `logits`, also where only a model inside it has one: the
 *   maps of a model that stands as a layer belong to that model's own graph.
 *
 * @example
 * ```ts
 * import * as tfl from '@tensorflow/tfjs-layers';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [8, 16] });
 * const toLogits = tfl.model({ inputs: model.inputs, outputs: models.logits(model) });
 * ```
 */
export function logits(model: tfl.LayersModel): tfl.SymbolicTensor[] {
  const heads = model.layers.filter(isHead).map((layer) => layer.output);
  // `logits1`, `logits2`, ..., `logits`: the bare name comes last.
  const order = (map: tfl.SymbolicTensor) =>
    Number(map.sourceLayer.name.slice('logits'.length) || Number.POSITIVE_INFINITY);
  const maps = heads.flat().sort((a, b) => order(a) - order(b));
  if (maps.length > 0) return maps;
  const nested = nestedModels(model).find(({ inner }) => inner.layers.some(isHead));
  if (nested !== undefined) {
    throw new InvalidArgumentError(
      `The logits of the model '${model.name}' are inside its layer '${nested.inner.name}', a model of its own, and not among its own maps. Pass that model, getLayer('${nested.inner.name}') of '${nested.outer.name}', or build on its outputs instead of applying it as a layer.`,
    );
  }
  throw new InvalidArgumentError(
    `The model '${model.name}' has no layer named 'logits'. Pass a network of this package.`,
  );
}
