/** Parameters and multiply-accumulates of a model, layer by layer. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { type LayerCall, layerCalls } from '../layers/calls.js';
import { PyConv2D } from '../layers/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { CLOSED_FORM_NOTE, type ConvolutionCost, closedFormOf } from './closedForms.js';
import { CONVENTIONS, type Convention, countCall } from './conventions.js';

/** Options of {@link complexity}. */
export interface ComplexityOptions {
  /** What is counted; see `CONVENTIONS`. Default 'macs'. */
  readonly convention?: Convention;
  /** [height, width, channels] of one image. Default the model's own, where all three are fixed. */
  readonly inputShape?: readonly number[];
  /** How the report calls the model. Default its name. */
  readonly name?: string;
}

/** One layer of a report. */
export interface LayerComplexity {
  /** In a nested model behind the names of the models around it. */
  readonly name: string;
  readonly className: string;
  /** Without the batch; of a layer that is applied several times, the first. */
  readonly outputShape: number[];
  /** Trainable and other weights. */
  readonly params: number;
  /** Of all its applications together. */
  readonly macs: number;
  /** Of a pyramidal convolution: eqs. 7 and 8 of the paper, without bias, instead of the real groups. */
  readonly closedForm?: ConvolutionCost;
}

/** Cost of a model for one image. */
export interface ComplexityReport {
  readonly model: string;
  /** Without the batch. */
  readonly inputShape: number[];
  /** Channels of the prediction: 1 is foreground against background. */
  readonly classes: number;
  readonly params: { readonly trainable: number; readonly nonTrainable: number; readonly total: number };
  /** The total under the convention. */
  readonly macs: number;
  /** Twice `macs`. */
  readonly flops: number;
  readonly convention: Convention;
  readonly layers: LayerComplexity[];
  /** Pyramidal convolutions alone, really and by the paper's closed forms; left out where the model has none. */
  readonly pyramidalConvolutions?: {
    readonly real: ConvolutionCost;
    readonly closedForm: ConvolutionCost;
    readonly note: string;
  };
  /** One sentence for each layer that the convention has no rule for. */
  readonly warnings: string[];
}

const show = (shape: readonly (number | null)[]): string => `[${shape.map((size) => size ?? 'null').join(', ')}]`;

function resolveInputShape(model: tfl.LayersModel, given: readonly number[] | undefined): number[] {
  const [input, ...others] = model.inputs;
  if (input === undefined || others.length > 0) {
    throw new InvalidArgumentError(
      `complexity counts models of one input. Received: model ${model.name} with ${model.inputs.length} inputs.`,
    );
  }
  const own = input.shape.slice(1);
  const shape = given ?? own;
  const legal =
    shape.length === own.length &&
    shape.every((size, i) => Number.isInteger(size) && Number(size) > 0 && (own[i] === null || own[i] === size));
  if (!legal) {
    const advice = given === undefined ? 'Give inputShape with whole numbers.' : 'Give whole numbers that fit it.';
    throw new InvalidArgumentError(
      `The input of model ${model.name} has the shape ${show(own)}. Received: inputShape=${given === undefined ? 'undefined' : show(given)}. ${advice}`,
    );
  }
  return shape.map(Number);
}

const sizeOf = (weights: readonly tfl.LayerVariable[]): number =>
  weights.reduce((sum, { shape }) => sum + shape.reduce<number>((product, size) => product * (size ?? 1), 1), 0);

const withoutBatch = (shape: tfl.Shape | undefined): number[] => (shape ?? []).slice(1).map(Number);

const sum = (costs: readonly ConvolutionCost[]): ConvolutionCost => ({
  params: costs.reduce((total, { params }) => total + params, 0),
  macs: costs.reduce((total, { macs }) => total + macs, 0),
});

/** The real cost of a pyramidal convolution and the one by the paper's closed forms, all applications together. */
function pyramidCosts(calls: readonly LayerCall[]): { real: ConvolutionCost; closedForm: ConvolutionCost } | undefined {
  const pairs = calls.flatMap((call) => {
    const { layer, inputShapes, outputShapes } = call;
    if (!(layer instanceof PyConv2D)) return [];
    const [height = 0, width = 0, channels = 0] = withoutBatch(inputShapes[0]);
    const spec = layer.spec([1, height, width, channels]);
    // A pyramid of one level is an ordinary convolution: the closed forms say nothing new about it.
    if (spec.levels.length === 1) return [];
    const params = sizeOf(layer.weights.filter(({ shape }) => shape.length > 1));
    const [rows = 0, columns = 0] = withoutBatch(outputShapes[0]);
    return [{ real: { params, macs: params * rows * columns }, closedForm: closedFormOf(spec) }];
  });
  const [first] = pairs;
  if (first === undefined) return undefined;
  // Weights that are used several times exist once.
  return {
    real: { ...first.real, macs: sum(pairs.map((pair) => pair.real)).macs },
    closedForm: { ...first.closedForm, macs: sum(pairs.map((pair) => pair.closedForm)).macs },
  };
}

/**
 * Counts a model's parameters and multiply-accumulates for one image, layer by layer. Nothing runs: shapes are enough.
 *
 * @param model Any built tfjs-layers model of one input, its height and width fixed or free.
 * @param options `convention`: 'macs' (default), the multiply-accumulates of convolutions, or 'paper', as ptflops counted
 *   them for Li, Fan, Cai 2021; `inputShape`: [height, width, channels], needed where the model leaves sizes free; `name`.
 * @returns Totals, a row per layer, and a warning for each layer whose class has no rule (it counts 0).
 * @throws InvalidArgumentError where the input shape is missing or does not fit, or the convention is unknown.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { complexity, models } from 'pyconvunet';
 *
 * const model = models.pyConvUNet({ widths: [8, 16, 32] });
 * const report = complexity.complexity(model, { inputShape: [64, 64, 3] });
 * console.log(report.params.total, report.macs);
 * ```
 */
export function complexity(model: tfl.LayersModel, options: ComplexityOptions = {}): ComplexityReport {
  const { convention = 'macs', name = model.name } = options;
  if (!Object.hasOwn(CONVENTIONS, convention)) {
    throw new InvalidArgumentError(
      `convention must be one of ${Object.keys(CONVENTIONS).join(', ')}. Received: convention=${convention}.`,
    );
  }
  const inputShape = resolveInputShape(model, options.inputShape);
  const { calls, outputs } = layerCalls(model, [[1, ...inputShape]]);
  const byName = new Map<string, LayerCall[]>();
  for (const call of calls) byName.set(call.name, [...(byName.get(call.name) ?? []), call]);

  const warnings: string[] = [];
  const pyramids: { real: ConvolutionCost; closedForm: ConvolutionCost }[] = [];
  const layers = [...byName].map(([layerName, applications]): LayerComplexity => {
    const layer = applications[0]?.layer;
    const className = layer?.getClassName() ?? '';
    let macs = 0;
    for (const call of applications) {
      const count = countCall(call, convention);
      if (count === undefined && call === applications[0]) {
        warnings.push(
          `Layer '${layerName}' of class ${className} has no rule under the convention '${convention}' and counts as 0.`,
        );
      }
      macs += count ?? 0;
    }
    const pyramid = pyramidCosts(applications);
    if (pyramid !== undefined) pyramids.push(pyramid);
    return {
      name: layerName,
      className,
      outputShape: withoutBatch(applications[0]?.outputShapes[0]),
      params: sizeOf(layer?.weights ?? []),
      macs,
      ...(pyramid === undefined ? {} : { closedForm: pyramid.closedForm }),
    };
  });
  const macs = layers.reduce((total, layer) => total + layer.macs, 0);
  const total = sizeOf(model.weights);
  const trainable = sizeOf(model.trainableWeights);
  const prediction = outputs.at(-1)?.shape ?? [];
  return {
    model: name,
    inputShape,
    classes: prediction[prediction.length - 1] ?? 1,
    params: { trainable, nonTrainable: total - trainable, total },
    macs,
    flops: 2 * macs,
    convention,
    layers,
    ...(pyramids.length === 0
      ? {}
      : {
          pyramidalConvolutions: {
            real: sum(pyramids.map(({ real }) => real)),
            closedForm: sum(pyramids.map(({ closedForm }) => closedForm)),
            note: CLOSED_FORM_NOTE,
          },
        }),
    warnings,
  };
}
