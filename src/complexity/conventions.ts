/** What each convention counts for each class of layer: the one table of rules. */
import type { LayerCall } from '../layers/calls.js';
import { PyConv2D } from '../layers/index.js';
import { countPyConv } from '../spec/index.js';

/** How multiply-accumulates are counted; see {@link CONVENTIONS}. */
export type Convention = 'macs' | 'paper';

/** What each convention counts, in a sentence that a report can print. */
export const CONVENTIONS: Readonly<Record<Convention, string>> = {
  macs: 'multiply-accumulates of convolutions, transposed convolutions and dense layers; nothing else',
  paper:
    'as ptflops counted for the paper: multiply-accumulates of convolutions plus one per bias added, a transposed convolution at its input size, batch normalisation 2 per element, ReLU and ELU 1, pooling 1 per input element, upsampling 1 per output element; sums, products and concatenations of maps, padding, cropping, dropout and other activations nothing',
};

/** The cost of one call for one image. */
type Rule = (call: LayerCall) => number;
type Rules = Readonly<Record<string, Rule>>;

const product = (sizes: readonly (number | null)[]): number => sizes.reduce<number>((p, size) => p * (size ?? 1), 1);
const elements = (shapes: LayerCall['inputShapes']): number => product(shapes[0]?.slice(1) ?? []);

/** Pixels of a map: its size without batch and channels. */
function pixels({ layer }: LayerCall, shapes: LayerCall['inputShapes']): number {
  const [, ...sizes] = shapes[0] ?? [];
  return product(layer.getConfig().dataFormat === 'channelsFirst' ? sizes.slice(1) : sizes.slice(0, -1));
}

/** Weights of more than one axis are kernels, the others biases. */
const weights = ({ layer }: LayerCall, kind: 'kernel' | 'bias'): number =>
  layer.weights
    .filter(({ shape }) => shape.length > 1 === (kind === 'kernel'))
    .reduce((sum, { shape }) => sum + product(shape), 0);

const nothing: Rule = () => 0;
const perInputElement: Rule = ({ inputShapes }) => elements(inputShapes);
const perOutputElement: Rule = ({ outputShapes }) => elements(outputShapes);
const both =
  (...rules: Rule[]): Rule =>
  (call) =>
    rules.reduce((sum, rule) => sum + rule(call), 0);

const kernelAtOutput: Rule = (call) => weights(call, 'kernel') * pixels(call, call.outputShapes);
const kernelAtInput: Rule = (call) => weights(call, 'kernel') * pixels(call, call.inputShapes);
const biasAdds: Rule = (call) => weights(call, 'bias') * pixels(call, call.outputShapes);

const pyramid: Rule = ({ layer, inputShapes: [shape = []] }) => {
  if (!(layer instanceof PyConv2D)) throw new Error(`Layer ${layer.name} is no PyConv2D.`);
  const [batch = 1, height, width, channels] = shape;
  return countPyConv(layer.spec([batch ?? 1, height ?? 0, width ?? 0, channels ?? 0])).macs;
};

/** ptflops counts these activations and no others (neither sigmoid nor softmax). */
const COUNTED_ACTIVATIONS = ['relu', 'relu6', 'elu'];
const activation: Rule = ({ layer, outputShapes }) => {
  const { activation: name } = layer.getConfig();
  return typeof name === 'string' && COUNTED_ACTIVATIONS.includes(name) ? elements(outputShapes) : 0;
};

const each = (classNames: readonly string[], rule: Rule): Rules =>
  Object.fromEntries(classNames.map((className) => [className, rule]));

const CONVOLUTIONS: Rules = {
  ...each(['Conv1D', 'Conv2D', 'Conv3D', 'DepthwiseConv2D', 'SeparableConv2D', 'Dense'], kernelAtOutput),
  ...each(['Conv2DTranspose', 'Conv3DTranspose'], kernelAtInput),
  'pyconvunet>PyConv2D': pyramid,
};
const NORMALISATIONS = ['BatchNormalization', 'pyconvunet>BatchNorm'];
const RECTIFIERS = ['ReLU', 'LeakyReLU', 'PReLU', 'ELU'];
const POOLINGS = ['1D', '2D', '3D'].flatMap((d) => [`MaxPooling${d}`, `AveragePooling${d}`]);
const GLOBAL_POOLINGS = ['1D', '2D'].flatMap((d) => [`GlobalMaxPooling${d}`, `GlobalAveragePooling${d}`]);
const UPSAMPLINGS = ['UpSampling2D', 'pyconvunet>BilinearUpsampling', 'pyconvunet>NearestUpsampling'];
const MERGES = ['Add', 'Average', 'Maximum', 'Minimum', 'Multiply', 'Concatenate'];
const GEOMETRY = ['ZeroPadding2D', 'Cropping2D', 'pyconvunet>Crop', 'Flatten', 'Reshape', 'Permute', 'RepeatVector'];
const TRAINING_ONLY = [
  ...['Dropout', 'SpatialDropout1D', 'GaussianDropout', 'AlphaDropout', 'GaussianNoise'],
  'pyconvunet>Dropout',
];
const CHECKS = ['InputLayer', 'Masking', 'pyconvunet>SizeGuard'];

const FREE: Rules = each([...MERGES, ...GEOMETRY, ...TRAINING_ONLY, ...CHECKS, 'Softmax', 'ThresholdedReLU'], nothing);

const RULES: Readonly<Record<Convention, Rules>> = {
  macs: {
    ...FREE,
    ...each([...NORMALISATIONS, ...RECTIFIERS, ...POOLINGS, ...GLOBAL_POOLINGS, ...UPSAMPLINGS, 'Activation'], nothing),
    ...CONVOLUTIONS,
  },
  paper: {
    ...FREE,
    ...each(NORMALISATIONS, both(perInputElement, perInputElement, activation)),
    ...each(RECTIFIERS, perOutputElement),
    Activation: activation,
    ...each([...POOLINGS, ...GLOBAL_POOLINGS], perInputElement),
    ...each(UPSAMPLINGS, perOutputElement),
    ...Object.fromEntries(
      Object.entries(CONVOLUTIONS).map(([className, macs]) => [className, both(macs, biasAdds, activation)]),
    ),
  },
};

/** The names of the layer's class and of those it extends: a class of the user's own counts as the one that it wraps. */
function classNames(layer: LayerCall['layer']): string[] {
  const names: string[] = [];
  for (let cls: unknown = layer.constructor; typeof cls === 'function'; cls = Object.getPrototypeOf(cls)) {
    const name: unknown = Reflect.get(cls, 'className');
    if (typeof name === 'string') names.push(name);
  }
  return names;
}

/**
 * Counts one call of a layer under a convention.
 *
 * @returns The count for one image, or undefined where the convention has no rule for the layer's class.
 */
export function countCall(call: LayerCall, convention: Convention): number | undefined {
  const rules = RULES[convention];
  const name = classNames(call.layer).find((className) => Object.hasOwn(rules, className));
  return name === undefined ? undefined : rules[name]?.(call);
}
