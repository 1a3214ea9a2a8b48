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

/** The gradient of a repetition, as an enlargement is along the axes of `x` that are one pixel long: the sum there. */
function sumOverRepeats(dy: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const axes = [1, 2].filter((axis) => x.shape[axis] === 1);
  return axes.length === 0 ? dy : tf.sum(dy, axes, true);
}

/**
 * Resizes to `size` with a gradient of its own: that of tfjs's cpu backend has height and width exchanged in its shape, and that
 * of its webgpu backend is zero along an axis of one pixel.
 */
function enlarge(images: tf.Tensor4D, size: [number, number]): tf.Tensor {
  const alignCorners = true;
  const resize = tf.customGrad((...inputs) => {
    const [x, save] = inputs as [tf.Tensor4D, (tensors: tf.Tensor[]) => void];
    save([x]);
    return {
      value: tf.image.resizeBilinear(x, size, alignCorners),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [input] = saved;
        if (input === undefined) throw new Error('The input of a bilinear enlargement was not saved.');
        const inputs = { images: input, dy: sumOverRepeats(dy, input) };
        const dx: tf.Tensor = tf.engine().runKernel('ResizeBilinearGrad', inputs, { alignCorners });
        return tf.reshape(dx, input.shape);
      },
    };
  });
  return resize(images);
}

/** The layer behind {@link bilinearUpsampling}. */
export class BilinearUpsampling extends FixedLayer {
  /** The name by which a saved model finds this class. */
  static readonly className: string = className('BilinearUpsampling');
  private readonly size: number;

  constructor(args: BilinearUpsamplingArgs = {}) {
    super(args, { title: 'BilinearUpsampling', prefix: 'bilinear_upsampling', options: ['size'] });
    this.size = args.size ?? 2;
    if (!Number.isInteger(this.size) || this.size < 1) {
      throw new InvalidArgumentError(`size must be a whole number >= 1. Received: size=${this.size}.`);
    }
  }

  protected override transform(x: tf.Tensor4D): tf.Tensor {
    return enlarge(x, [x.shape[1] * this.size, x.shape[2] * this.size]);
  }

  protected override transformShape([batch, height, width, channels]: FreeShape): tfl.Shape {
    const times = (length: number | null) => (length === null ? null : length * this.size);
    return [batch, times(height), times(width), channels];
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
