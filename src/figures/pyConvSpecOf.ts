/** The specification of a pyramidal convolution that stands in a network. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { complexity } from '../complexity/index.js';
import { PyConv2D } from '../layers/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { PyConvSpec } from '../spec/index.js';

/** Options of {@link pyConvSpecOf}. */
export interface PyConvSpecOptions {
  /** [height, width, channels] of one image. Default the model's own, where all three are fixed. */
  readonly inputShape?: readonly number[];
  /** Name of the layer. Default the first pyramidal convolution of several levels. */
  readonly layer?: string;
}

/**
 * A pyramidal convolution of a network, resolved for an image.
 *
 * @param model A network with pyramidal convolutions.
 * @param options `inputShape`: [height, width, channels] of one image; `layer`: its name.
 * @returns The specification that `pyConvFigure` draws.
 * @throws InvalidArgumentError where the model has no such layer, or the input shape is missing or does not fit.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { figures, models } from 'pyconvunet';
 *
 * const model = models.pyConvUNet({ widths: [32, 64] });
 * const spec = figures.pyConvSpecOf(model, { inputShape: [64, 64, 3], layer: 'encoder2/pyconv' });
 * console.log(spec.input.height, spec.levels.length); // 32 4
 * ```
 */
export function pyConvSpecOf(model: tfl.LayersModel, options: PyConvSpecOptions = {}): PyConvSpec {
  const { inputShape, layer: name } = options;
  const { layers } = complexity(model, inputShape === undefined ? {} : { inputShape });
  const heightsAndWidths = new Map(layers.map((row) => [row.name, row.outputShape]));
  const specs = new Map<string, PyConvSpec>();
  for (const layer of model.layers) {
    const source = layer instanceof PyConv2D && !Array.isArray(layer.input) ? layer.input.sourceLayer.name : undefined;
    const [height, width, channels] = (source === undefined ? undefined : heightsAndWidths.get(source)) ?? [];
    if (!(layer instanceof PyConv2D) || height === undefined || width === undefined || channels === undefined) continue;
    const spec = layer.spec([1, height, width, channels]);
    if (spec.levels.length > 1) specs.set(layer.name, spec);
  }
  const [first] = specs.values();
  if (first === undefined) {
    throw new InvalidArgumentError(
      `The model '${model.name}' has no pyramidal convolution of several levels to draw. Draw its network, or choose pyconvunet.`,
    );
  }
  if (name === undefined) return first;
  const spec = specs.get(name);
  if (spec === undefined) {
    throw new InvalidArgumentError(
      `The model '${model.name}' has no pyramidal convolution '${name}'. It has ${[...specs.keys()].join(', ')}.`,
    );
  }
  return spec;
}
