/** Dropout whose masks follow from a seed and a counter, so that an interrupted training can go on with the same masks. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';
import { deriveSeed, Random } from '../runtime/random.js';
import type { FreeShape } from '../spec/index.js';
import { FixedLayer, type LayerArgs } from './fixedLayer.js';
import { className, register } from './register.js';

/** Options of {@link dropout}. */
export interface DropoutArgs extends LayerArgs {
  /** The share of values that is set to zero, in [0, 1). */
  rate: number;
  /** Any whole number, 0 included. Default: drawn at random. */
  seed?: number;
}

/** The layer behind {@link dropout}. */
export class Dropout extends FixedLayer {
  /** The name by which a saved model finds this class. */
  static readonly className: string = className('Dropout');
  /** How many masks were drawn so far: together with the seed the layer's whole random state. */
  calls = 0;
  private readonly rate: number;
  private readonly seed: number;

  constructor(args: DropoutArgs) {
    super(args, { title: 'Dropout', prefix: 'dropout', options: ['rate', 'seed'] });
    if (!(args.rate >= 0 && args.rate < 1)) {
      throw new InvalidArgumentError(`rate must be a number in [0, 1). Received: rate=${args.rate}.`);
    }
    this.rate = args.rate;
    this.seed = args.seed ?? Math.floor(Math.random() * 2 ** 31);
    // Checks the seed here rather than in the first step.
    deriveSeed(this.seed);
  }

  /** Draws the next mask: what the values of a map are multiplied by, 0 or 1 / (1 - rate). */
  drawMask(size: number): Float32Array {
    const random = new Random(deriveSeed(this.seed, this.name, this.calls));
    this.calls++;
    const { rate } = this;
    const kept = 1 / (1 - rate);
    const mask = new Float32Array(size);
    for (let i = 0; i < size; i++) if (random.next() >= rate) mask[i] = kept;
    return mask;
  }

  protected override transform(x: tf.Tensor4D, kwargs: Record<string, unknown>): tf.Tensor {
    if (kwargs.training !== true || this.rate === 0) return x;
    return tf.mul(x, tf.tensor4d(this.drawMask(x.size), x.shape));
  }

  protected override transformShape(shape: FreeShape): tfl.Shape {
    return [...shape];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate, seed: this.seed };
  }
}
register(Dropout);

/**
 * A layer that sets a random share of the values to zero in training and scales the others by 1 / (1 - rate)
 * (Srivastava et al. 2014); in inference it changes nothing. The mask of call n follows from (seed, layer name, n) alone
 * and is the same on every backend; `calls` can be saved and set again.
 *
 * @param args `rate` in [0, 1); `seed`, a whole number, by default random; a layer's usual options.
 * @returns The layer; its output has its input's shape.
 * @throws InvalidArgumentError where the rate or the seed is illegal.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers } from 'pyconvunet';
 *
 * const layer = layers.dropout({ rate: 0.5, seed: 0 });
 * const y = layer.apply(tf.ones([1, 4, 4, 2]), { training: true });
 * console.log(layer.calls); // 1
 * ```
 */
export function dropout(args: DropoutArgs): Dropout {
  return new Dropout(args);
}
