/** Bilinear enlargement with aligned corners, which tfjs's UpSampling2D does not offer. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { FreeShape } from '../spec/index.js';
import { FixedLayer, type LayerArgs } from './fixedLayer.js';
import { className, register } from './register.js';

/** Options of {@link bilinearUpsampling}. */
export interface BilinearUpsamplingArgs extends LayerArgs {
  /** Factor of height and width: a whole number >= 1. Default 2. */
  size?: number;
}

/** The layer behind {@link bilinearUpsampling}. */
export class BilinearUpsampling extends FixedLayer {
  /** @nocollapse */
  static readonly className: string = className('BilinearUpsampling');
  private readonly size: number;

  constructor(args: BilinearUpsamplingArgs = {}) {
    super(args, 'bilinear_upsampling');
    this.size = args.size ?? 2;
    if (!Number.isInteger(this.size) || this.size < 1) {
      throw new InvalidArgumentError(`size must be a whole number >= 1. Received: size=${this.size}.`);
    }
  }

  protected override transform(x: tf.Tensor4D): tf.Tensor4D {
    const alignCorners = true;
    return tf.image.resizeBilinear(x, [x.shape[1] * this.size, x.shape[2] * this.size], alignCorners);
  }

  protected override transformShape([batch, height, width, channels]: FreeShape): tfl.Shape {
    const enlarge = (length: number | null) => (length === null ? null : length * this.size);
    return [batch, enlarge(height), enlarge(width), channels];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), size: this.size };
  }
}
register(BilinearUpsampling);

/**
 * A layer that enlarges height and width bilinearly, the corner pixels kept in the corners (PyTorch's `align_corners=True`).
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
 * const y = layers.bilinearUpsampling({ size: 2 }).apply(tf.tensor4d([0, 3], [1, 1, 2, 1])) as tf.Tensor;
 * y.print(); // both rows: 0, 1, 2, 3
 * ```
 */
export function bilinearUpsampling(args: BilinearUpsamplingArgs = {}): BilinearUpsampling {
  return new BilinearUpsampling(args);
}
