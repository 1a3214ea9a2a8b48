/** Enlargement by repeating pixels, with a gradient that is right for every batch. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { FreeShape } from '../spec/index.js';
import { FixedLayer, type LayerArgs } from './fixedLayer.js';
import { className, register } from './register.js';

/** Options of {@link nearestUpsampling}. */
export interface NearestUpsamplingArgs extends LayerArgs {
  /** Factor of height and width: a whole number >= 1. Default 2. */
  size?: number;
}

/**
 * Repeats every pixel `factor` times in both directions. The gradient is the sum over each repeated pixel; tfjs's own for
 * resizeNearestNeighbor mixes up the images of a batch on the cpu backend.
 */
function repeatPixels(images: tf.Tensor4D, factor: number): tf.Tensor {
  const repeat = tf.customGrad((...inputs) => {
    const [x] = inputs as [tf.Tensor4D];
    return {
      value: tf.image.resizeNearestNeighbor(x, [x.shape[1] * factor, x.shape[2] * factor]),
      gradFunc: (dy: tf.Tensor) => tf.mul(tf.avgPool(dy as tf.Tensor4D, factor, factor, 'valid'), factor * factor),
    };
  });
  return repeat(images);
}

/** The layer behind {@link nearestUpsampling}. */
export class NearestUpsampling extends FixedLayer {
  /** The name by which a saved model finds this class. */
  static readonly className: string = className('NearestUpsampling');
  private readonly size: number;

  constructor(args: NearestUpsamplingArgs = {}) {
    super(args, { title: 'NearestUpsampling', prefix: 'nearest_upsampling', options: ['size'] });
    this.size = args.size ?? 2;
    if (!Number.isInteger(this.size) || this.size < 1) {
      throw new InvalidArgumentError(`size must be a whole number >= 1. Received: size=${this.size}.`);
    }
  }

  protected override transform(x: tf.Tensor4D): tf.Tensor {
    return repeatPixels(x, this.size);
  }

  protected override transformShape([batch, height, width, channels]: FreeShape): tfl.Shape {
    const times = (length: number | null) => (length === null ? null : length * this.size);
    return [batch, times(height), times(width), channels];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), size: this.size };
  }
}
register(NearestUpsampling);

/**
 * A layer that enlarges height and width by repeating pixels.
 *
 * @param args `size`: the factor, default 2; a layer's usual options.
 * @returns The layer: [batch, height, width, channels] to [batch, size * height, size * width, channels].
 * @throws InvalidArgumentError where `size` is no whole number >= 1.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers } from 'pyconvunet';
 *
 * const y = layers.nearestUpsampling({ size: 2 }).apply(tf.tensor4d([1, 2], [1, 1, 2, 1])) as tf.Tensor;
 * y.print(); // both rows: 1, 1, 2, 2
 * ```
 */
export function nearestUpsampling(args: NearestUpsamplingArgs = {}): NearestUpsampling {
  return new NearestUpsampling(args);
}
