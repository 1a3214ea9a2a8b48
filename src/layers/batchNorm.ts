/** The layer BatchNorm: PyTorch's batch normalisation, optionally with a ReLU. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { batchNorm as batchNormOp } from '../ops/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { BATCH_NORM_RANKS, type BatchNormActivation, checkBatchNorm, show } from '../spec/index.js';
import { checkLayerKeys, type LayerArgs } from './layerOptions.js';
import { className, defaultName, register } from './register.js';
import { oneShape, oneTensor } from './tensors.js';

/** Options of {@link batchNorm}. */
export interface BatchNormArgs extends LayerArgs {
  /** 'relu' puts a ReLU behind the normalisation. Default 'linear'. */
  readonly activation?: BatchNormActivation;
  /** Learn a factor per channel. Default true. */
  readonly scale?: boolean;
  /** Learn an offset per channel. Default true. */
  readonly center?: boolean;
  /** Added to the variance. Default 1e-5, as PyTorch. */
  readonly epsilon?: number;
  /** Share of the old moving statistics that one training step keeps. Default 0.9 (PyTorch's momentum 0.1). */
  readonly momentum?: number;
}

const OPTIONS = ['activation', 'scale', 'center', 'epsilon', 'momentum'];

/** Batch normalisation as a Keras-style layer; made by {@link batchNorm}. */
export class BatchNorm extends tfl.layers.Layer {
  /** The name by which a saved model finds this class. */
  static readonly className: string = className('BatchNorm');
  private readonly options: Required<Pick<BatchNormArgs, 'activation' | 'scale' | 'center' | 'epsilon' | 'momentum'>>;
  private gamma: tfl.LayerVariable | undefined;
  private beta: tfl.LayerVariable | undefined;
  private moving: { mean: tfl.LayerVariable; variance: tfl.LayerVariable } | undefined;

  constructor(args: BatchNormArgs = {}) {
    checkLayerKeys('BatchNorm', args, OPTIONS);
    const { activation = 'linear', scale = true, center = true, epsilon = 1e-5, momentum = 0.9, ...layer } = args;
    checkBatchNorm('BatchNorm', { epsilon, activation });
    if (typeof momentum !== 'number' || !(momentum >= 0 && momentum < 1)) {
      throw new InvalidArgumentError(
        `momentum of BatchNorm must be a number in [0, 1). Received: momentum=${show(momentum)}.`,
      );
    }
    for (const [name, value] of Object.entries({ scale, center })) {
      if (typeof value === 'boolean') continue;
      throw new InvalidArgumentError(`${name} of BatchNorm must be true or false. Received: ${name}=${show(value)}.`);
    }
    super({ ...layer, name: layer.name ?? defaultName('batch_norm') });
    this.options = { activation, scale, center, epsilon, momentum };
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = oneShape(inputShape, this.name);
    if (!BATCH_NORM_RANKS.includes(shape.length)) {
      throw new InvalidArgumentError(
        `Layer ${this.name} normalises tensors of rank 2, 3 or 4. Received: shape [${shape.map((d) => d ?? 'null').join(', ')}].`,
      );
    }
    const channels = shape[shape.length - 1] ?? null;
    if (channels === null) {
      throw new InvalidArgumentError(
        `Layer ${this.name} needs a known number of channels. Received: shape [${shape.map((d) => d ?? 'null').join(', ')}].`,
      );
    }
    const { scale, center } = this.options;
    const zeros = tfl.initializers.zeros();
    const ones = tfl.initializers.ones();
    if (scale) this.gamma = this.addWeight('gamma', [channels], 'float32', ones);
    if (center) this.beta = this.addWeight('beta', [channels], 'float32', zeros);
    this.moving = {
      mean: this.addWeight('moving_mean', [channels], 'float32', zeros, undefined, false),
      variance: this.addWeight('moving_variance', [channels], 'float32', ones, undefined, false),
    };
    this.inputSpec = [{ ndim: shape.length, axes: { [-1]: channels } }];
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => this.normalise(oneTensor(inputs, this.name), kwargs.training === true && this.trainable));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return oneShape(inputShape, this.name);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options };
  }

  /** A frozen layer normalises with its moving statistics even in training, as Keras does. */
  private normalise(x: tf.Tensor, withBatchStatistics: boolean): tf.Tensor {
    const { moving } = this;
    if (moving === undefined) throw new Error(`Layer ${this.name} was called before it was built.`);
    const { epsilon, activation } = this.options;
    const weights = {
      ...(this.gamma === undefined ? {} : { gamma: this.gamma.read() as tf.Tensor1D }),
      ...(this.beta === undefined ? {} : { beta: this.beta.read() as tf.Tensor1D }),
    };
    if (!withBatchStatistics) {
      const statistics = { mean: moving.mean.read() as tf.Tensor1D, variance: moving.variance.read() as tf.Tensor1D };
      return batchNormOp(x, { ...weights, epsilon, activation, moving: statistics }).y;
    }
    const { y, mean, variance } = batchNormOp(x, { ...weights, epsilon, activation });
    const perChannel = x.size / mean.size;
    this.move(moving.mean, mean);
    this.move(moving.variance, tf.mul(variance, perChannel / (perChannel - 1)));
    return y;
  }

  private move(statistic: tfl.LayerVariable, batch: tf.Tensor): void {
    const { momentum } = this.options;
    statistic.write(tf.add(tf.mul(statistic.read(), momentum), tf.mul(batch, 1 - momentum)));
  }
}
register(BatchNorm);

/**
 * A layer of batch normalisation over the last axis with PyTorch's semantics: epsilon 1e-5, the batch's biased variance
 * for normalising, its unbiased one for the moving statistics, which keep 0.9 at each training step (tfjs-layers: 1e-3
 * and 0.99). With `activation: 'relu'` a ReLU follows, whose gradient needs no map beside the layer's output; on wasm training
 * also computes it in the same pass.
 *
 * Input of rank 2 to 4, output of the same shape.
 *
 * @param args `activation`, `scale`, `center`, `epsilon`, `momentum`, and the options of every layer.
 * @returns The layer. Weights: gamma, beta (trainable); moving_mean, moving_variance.
 * @throws InvalidArgumentError for an unknown or illegal option; for another rank when the layer meets its input.
 *
 * @example
 * ```ts
 * import * as tfl from '@tensorflow/tfjs-layers';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers } from 'pyconvunet';
 *
 * const input = tfl.input({ shape: [null, null, 16] });
 * const output = layers.batchNorm({ activation: 'relu' }).apply(input) as tfl.SymbolicTensor;
 * console.log(output.shape); // [null, null, null, 16]
 * ```
 */
export function batchNorm(args: BatchNormArgs = {}): BatchNorm {
  return new BatchNorm(args);
}
