/**
 * Keras options of a convolution layer (initializers, regularizers, constraints, activation), resolved by tfjs-layers itself:
 * its own parsers are not exported, but its Conv2D layer gives back what it parsed.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { deriveSeed } from '../runtime/random.js';
import { ACTIVATIONS, type Activation } from '../spec/index.js';

/** Names for the layers that only parse: tfjs would count them, and users' own layers would get other default names. */
const PARSER = 'pyconvunet_parser';

type Conv2DArgs = Parameters<typeof tfl.layers.conv2d>[0];

/** Options that PyConv2D and GroupConv2D share with Conv2D. */
export type KerasConvOptions = Pick<
  Conv2DArgs,
  | 'activation'
  | 'useBias'
  | 'kernelInitializer'
  | 'biasInitializer'
  | 'kernelRegularizer'
  | 'biasRegularizer'
  | 'kernelConstraint'
  | 'biasConstraint'
  | 'inputShape'
  | 'batchInputShape'
  | 'batchSize'
  | 'dtype'
  | 'name'
  | 'trainable'
  | 'weights'
>;

export type Initializer = ReturnType<typeof tfl.initializers.ones>;
export type Regularizer = ReturnType<typeof tfl.regularizers.l2>;
export type Constraint = ReturnType<typeof tfl.constraints.nonNeg>;

const PART_NAMES = [
  'kernelInitializer',
  'biasInitializer',
  'kernelRegularizer',
  'biasRegularizer',
  'kernelConstraint',
  'biasConstraint',
] as const;

/** Names of the options that {@link resolveConvOptions} parses. */
export const KERAS_CONV_OPTIONS: readonly string[] = ['useBias', 'activation', ...PART_NAMES];

/** The parsed parts, and their configuration for getConfig. */
export interface ResolvedConvOptions {
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
  readonly kernelRegularizer: Regularizer | undefined;
  readonly biasRegularizer: Regularizer | undefined;
  readonly kernelConstraint: Constraint | undefined;
  readonly biasConstraint: Constraint | undefined;
  /** An activation that the convolution computes itself; 'linear' where {@link after} follows. */
  readonly fused: Activation;
  /** Any other activation of tfjs-layers, as a function. */
  readonly after: ((y: tf.Tensor) => tf.Tensor) | undefined;
  readonly config: tf.serialization.ConfigDict;
}

/** Builds a registered initializer, regularizer or constraint from the configuration that Conv2D gives back. */
function instantiate(config: unknown): tf.serialization.Serializable | undefined {
  if (config === null || config === undefined) return undefined;
  const { className, config: values } = config as { className: string; config: tf.serialization.ConfigDict };
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[className];
  if (entry === undefined) throw new Error(`tfjs-layers knows no class ${className}.`);
  const [cls, fromConfig] = entry;
  return fromConfig(cls, values);
}

const isFused = (activation: unknown): activation is Activation => ACTIVATIONS.some((known) => known === activation);

/**
 * Parses Keras options as Conv2D does.
 *
 * @throws what Conv2D throws for an unknown initializer, regularizer, constraint or activation.
 */
export function resolveConvOptions(options: KerasConvOptions): ResolvedConvOptions {
  const { activation = 'linear' } = options;
  const parser = tfl.layers.conv2d({ ...pick(options), filters: 1, kernelSize: 1, activation, name: PARSER });
  const parsed = parser.getConfig();
  const part = (name: (typeof PART_NAMES)[number]) => {
    const given: unknown = options[name];
    // An object of the user's own class is used as it is: it need not be registered until the layer is saved.
    return typeof given === 'object' && given !== null && 'apply' in given ? given : instantiate(parsed[name]);
  };
  const fused = isFused(activation) ? activation : 'linear';
  const afterLayer = fused === activation ? undefined : tfl.layers.activation({ activation, name: PARSER });
  return {
    kernelInitializer: part('kernelInitializer') as Initializer,
    biasInitializer: part('biasInitializer') as Initializer,
    kernelRegularizer: part('kernelRegularizer') as Regularizer | undefined,
    biasRegularizer: part('biasRegularizer') as Regularizer | undefined,
    kernelConstraint: part('kernelConstraint') as Constraint | undefined,
    biasConstraint: part('biasConstraint') as Constraint | undefined,
    fused,
    after: afterLayer && ((y) => afterLayer.call(y, {}) as tf.Tensor),
    config: { activation, ...Object.fromEntries(PART_NAMES.map((name) => [name, parsed[name] ?? null])) },
  };
}

/** The options that Conv2D parses, without those of the layer itself. */
function pick(options: KerasConvOptions): KerasConvOptions {
  return Object.fromEntries(PART_NAMES.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

/**
 * The initializer of one level. With a seed tfjs draws the same numbers again for every weight, whatever its shape, so each
 * level after the first gets a seed of its own; the first, too, where the seed is 0, which tfjs reads as none.
 */
export function initializerOfLevel(initializer: Initializer, level: number): Initializer {
  if (!(initializer instanceof tf.serialization.Serializable)) return initializer;
  const config = initializer.getConfig();
  const { seed } = config;
  if (typeof seed !== 'number' || !Number.isSafeInteger(seed)) return initializer;
  if (level === 0 && seed !== 0) return initializer;
  const seeded = { ...config, seed: deriveSeed(seed, 'level', level) };
  const cls = initializer.constructor as tf.serialization.SerializableConstructor<Initializer> &
    Pick<typeof tf.serialization.Serializable, 'fromConfig'>;
  return cls.fromConfig(cls, seeded);
}
