/** The layer PyConv2D: weights and options around the op of the same name. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { pyConv2d as pyConv2dOp } from '../ops/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import {
  axisPair,
  type Level,
  type LevelOptions,
  levelPaddings,
  type Padding,
  type PyConvSpec,
  planLevels,
  pyConvOutputShape,
  pyConvSpec,
  resolveLevels,
  show,
} from '../spec/index.js';
import { checkLayerKeys } from './layerOptions.js';
import {
  initializerOfLevel,
  KERAS_CONV_OPTIONS,
  type KerasConvOptions,
  type ResolvedConvOptions,
  resolveConvOptions,
} from './options.js';
import { className, defaultName, register } from './register.js';
import { imageShape, oneTensor } from './tensors.js';

/** Options of {@link pyConv2d}: levels, geometry, and those of Keras's Conv2D. */
export interface PyConv2DArgs extends LevelOptions, KerasConvOptions {
  /** Default 1. */
  readonly strides?: number | readonly [number, number];
  /** 'same' (default), 'valid', a number of pixels, or one number per level. */
  readonly padding?: Padding;
  /** Default 1. */
  readonly dilationRate?: number | readonly [number, number];
}

/** Options of the geometry, which GroupConv2D has, too. */
export const GEOMETRY_OPTIONS: readonly string[] = ['strides', 'padding', 'dilationRate'];

const OPTIONS = ['filters', 'kernelSizes', 'groups', 'split', ...GEOMETRY_OPTIONS, ...KERAS_CONV_OPTIONS];

/** Refuses whatever can be refused before the channels of the input are known. */
function checkArgs({ strides, padding, dilationRate, useBias = true, ...args }: PyConv2DArgs): void {
  const { kernelSizes } = planLevels(args);
  axisPair('strides', strides);
  axisPair('dilationRate', dilationRate);
  levelPaddings(padding ?? 'same', kernelSizes.length);
  if (typeof useBias !== 'boolean') {
    throw new InvalidArgumentError(`useBias must be true or false. Received: useBias=${show(useBias)}.`);
  }
}

const filterShapes = (levels: readonly Level[], inputChannels: number): [number, number, number, number][] =>
  levels.map(({ kernelSize, groups, filters }) => [kernelSize, kernelSize, inputChannels / groups, filters]);

/** Pyramidal convolution as a Keras-style layer; made by {@link pyConv2d}. */
export class PyConv2D extends tfl.layers.Layer {
  /** The name by which a saved model finds this class. */
  static readonly className: string = className('PyConv2D');
  protected readonly args: PyConv2DArgs;
  private readonly resolved: ResolvedConvOptions;
  private levels: readonly Level[] = [];
  private kernels: tfl.LayerVariable[] = [];
  private bias: tfl.LayerVariable | undefined;

  constructor(args: PyConv2DArgs, namePrefix = 'py_conv2d') {
    checkLayerKeys('PyConv2D', args, OPTIONS);
    checkArgs(args);
    const { filters, kernelSizes, groups, split, strides, padding, dilationRate, ...keras } = args;
    super({ ...keras, name: keras.name ?? defaultName(namePrefix) } as ConstructorParameters<
      typeof tfl.layers.Layer
    >[0]);
    this.args = args;
    this.resolved = resolveConvOptions(keras);
    this.inputSpec = [{ ndim: 4 }];
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = imageShape(inputShape, this.name);
    const { useBias = true } = this.args;
    const levels = resolveLevels(this.args, shape[3]);
    // Refuses illegal combinations before a weight exists.
    const [, , , filters] = pyConvOutputShape(shape, filterShapes(levels, shape[3]), this.geometry(levels));
    this.levels = levels;
    const { kernelInitializer, kernelRegularizer, kernelConstraint, biasInitializer, biasRegularizer, biasConstraint } =
      this.resolved;
    this.kernels = filterShapes(levels, shape[3]).map((filterShape, i) =>
      this.addWeight(
        this.kernelName(i),
        filterShape,
        'float32',
        initializerOfLevel(kernelInitializer, i),
        kernelRegularizer,
        true,
        kernelConstraint,
      ),
    );
    if (useBias) {
      this.bias = this.addWeight(
        'bias',
        [filters],
        'float32',
        initializerOfLevel(biasInitializer, 0),
        biasRegularizer,
        true,
        biasConstraint,
      );
    }
    this.inputSpec = [{ ndim: 4, axes: { [-1]: shape[3] } }];
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { fused, after = (y) => y } = this.resolved;
    const bias = this.bias === undefined ? {} : { bias: this.bias.read() as tf.Tensor1D };
    const kernels = this.kernels.map((kernel) => kernel.read() as tf.Tensor4D);
    return tf.tidy(() =>
      after(
        pyConv2dOp(oneTensor(inputs, this.name) as tf.Tensor4D, kernels, {
          ...this.geometry(this.levels),
          activation: fused,
          ...bias,
        }),
      ),
    );
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = imageShape(inputShape, this.name);
    const levels = this.levelsFor(shape[3]);
    return [...pyConvOutputShape(shape, filterShapes(levels, shape[3]), this.geometry(levels))];
  }

  /**
   * The layer's convolution of images [batch, height, width, channels], fully resolved: what counters and kernels read.
   *
   * @throws InvalidArgumentError for an input that the layer cannot take.
   */
  spec(inputShape: readonly [number, number, number, number]): PyConvSpec {
    const levels = this.levelsFor(inputShape[3]);
    const { fused } = this.resolved;
    return pyConvSpec(inputShape, filterShapes(levels, inputShape[3]), {
      ...this.geometry(levels),
      activation: fused,
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { filters, kernelSizes, groups, split, strides, padding, dilationRate, useBias } = this.args;
    const own = { filters, kernelSizes, groups, split, strides, padding, dilationRate, useBias };
    const given = Object.entries(own).filter(([, value]) => value !== undefined);
    return {
      ...super.getConfig(),
      ...this.resolved.config,
      ...(Object.fromEntries(given) as tf.serialization.ConfigDict),
    };
  }

  /** Name of the weight of one level. */
  protected kernelName(level: number): string {
    return `level${level + 1}/kernel`;
  }

  /** Those of the weights; before there are any, those that an input of so many channels would get. */
  private levelsFor(inputChannels: number): readonly Level[] {
    return this.built ? this.levels : resolveLevels(this.args, inputChannels);
  }

  /** The options of the op that do not depend on the weights. */
  private geometry(levels: readonly Level[]) {
    const { strides, padding, dilationRate } = this.args;
    return {
      groups: levels.map((level) => level.groups),
      ...(strides === undefined ? {} : { strides }),
      ...(padding === undefined ? {} : { padding }),
      ...(dilationRate === undefined ? {} : { dilations: dilationRate }),
    };
  }
}
register(PyConv2D);

/**
 * A layer of pyramidal convolution (Duta et al. 2020): grouped convolutions of growing kernel over one input, concatenated.
 *
 * Input shape [batch, height, width, channels], output [batch, outHeight, outWidth, filters].
 *
 * @param args `filters` and the levels (`kernelSizes` 3, 5, 7, 9; `groups` 1, 4, 8, 16; `split` 1/8, 1/8, 1/4, 1/2 by
 *   default, as the published code of PyConvU-Net), `strides`, `padding`, `dilationRate`, and Conv2D's `useBias`,
 *   `activation`, initializers, regularizers and constraints.
 * @returns The layer, to be applied to a symbolic tensor or added to a sequential model.
 * @throws InvalidArgumentError for an unknown or illegal option; for channels that the groups do not divide, and sizes that
 *   do not fit, when the layer meets its input.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import * as tfl from '@tensorflow/tfjs-layers';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers } from 'pyconvunet';
 *
 * const input = tfl.input({ shape: [null, null, 32] });
 * const output = layers.pyConv2d({ filters: 64 }).apply(input) as tfl.SymbolicTensor;
 * console.log(output.shape); // [null, null, null, 64]
 * ```
 */
export function pyConv2d(args: PyConv2DArgs): PyConv2D {
  return new PyConv2D(args);
}
