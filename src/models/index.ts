/** The seven networks, by factory and by name. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { SizeGuard } from '../layers/sizeGuard.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { type AttentionUNetOptions, attentionUNet } from './attentionUNet.js';
import { type Fcn8sOptions, fcn8s } from './fcn8s.js';
import { type MultiResUNetOptions, multiResUNet } from './multiResUNet.js';
import { type PyConvUNetOptions, pyConvUNet } from './pyConvUNet.js';
import { type ResNet34UNetOptions, resNet34UNet } from './resNet34UNet.js';
import { type UNetOptions, uNet } from './uNet.js';
import { type UNetPlusPlusOptions, uNetPlusPlus } from './uNetPlusPlus.js';

export { load } from './load.js';
export type { NetworkOptions } from './options.js';
export {
  type AttentionUNetOptions,
  attentionUNet,
  type Fcn8sOptions,
  fcn8s,
  type MultiResUNetOptions,
  multiResUNet,
  type PyConvUNetOptions,
  pyConvUNet,
  type ResNet34UNetOptions,
  resNet34UNet,
  type UNetOptions,
  type UNetPlusPlusOptions,
  uNet,
  uNetPlusPlus,
};

/** The options of each network, by its name. */
export interface NetworkConfigs {
  pyconvunet: PyConvUNetOptions;
  unet: UNetOptions;
  'unet++': UNetPlusPlusOptions;
  'attention-unet': AttentionUNetOptions;
  'resnet34-unet': ResNet34UNetOptions;
  multiresunet: MultiResUNetOptions;
  fcn8s: Fcn8sOptions;
}

/** The name of a network, as the command and run folders write it. */
export type NetworkName = keyof NetworkConfigs;

const FACTORIES: { readonly [Name in NetworkName]: (config?: NetworkConfigs[Name]) => tfl.LayersModel } = {
  pyconvunet: pyConvUNet,
  unet: uNet,
  'unet++': uNetPlusPlus,
  'attention-unet': attentionUNet,
  'resnet34-unet': resNet34UNet,
  multiresunet: multiResUNet,
  fcn8s,
};

/** The names of all networks. */
export const names: readonly NetworkName[] = Object.freeze([
  'pyconvunet',
  'unet',
  'unet++',
  'attention-unet',
  'resnet34-unet',
  'multiresunet',
  'fcn8s',
]);

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

/**
 * What height and width must be multiples of, read from the model itself, so that it also holds for a loaded one.
 *
 * @param model A network of this package, new or loaded.
 * @returns The divisor in pixels; 1 where the model says nothing.
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
  const guard = model.layers.find((layer) => layer instanceof SizeGuard);
  return guard instanceof SizeGuard ? guard.divisor : 1;
}

/**
 * The maps of logits that losses are computed from: those before the activations, in the order of the model's outputs. With
 * deep supervision there are several, and the last is the network's prediction.
 *
 * @param model A network of this package, new or loaded.
 * @returns One symbolic map per output.
 * @throws InvalidArgumentError where the model has no layer named `logits`.
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
  const isHead = (layer: tfl.layers.Layer) => /^logits\d*$/.test(layer.name);
  const heads = model.layers.filter(isHead).map((layer) => layer.output);
  // `logits1`, `logits2`, ..., `logits`: the bare name comes last.
  const order = (map: tfl.SymbolicTensor) =>
    Number(map.sourceLayer.name.slice('logits'.length) || Number.POSITIVE_INFINITY);
  const maps = heads.flat().sort((a, b) => order(a) - order(b));
  if (maps.length === 0) {
    throw new InvalidArgumentError(
      `The model '${model.name}' has no layer named 'logits'. Pass a network of this package.`,
    );
  }
  return maps;
}
