/** The check behind a network's input that height and width are multiples of what its poolings need. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { FreeShape } from '../spec/index.js';
import { FixedLayer, type LayerArgs } from './fixedLayer.js';
import { className, register } from './register.js';

/** Options of {@link SizeGuard}. */
export interface SizeGuardArgs extends LayerArgs {
  /** Height and width must be multiples of it: a whole number >= 1. */
  divisor: number;
  /**
   * Who needs that, as the message says it. Default 'This network'. An object, because tfjs changes the case of every saved
   * string whose key is not `name`.
   */
  network?: { name: string };
}

/**
 * Passes images through unchanged, and refuses sizes that the network behind it cannot take: at construction where the
 * size is fixed, else when an image arrives. It is a layer so that a saved and loaded model refuses them too.
 *
 * @throws InvalidArgumentError naming the divisor and the nearest legal sizes.
 */
export class SizeGuard extends FixedLayer {
  /** The name by which a saved model finds this class. */
  static readonly className: string = className('SizeGuard');
  /** Height and width must be multiples of it. */
  readonly divisor: number;
  private readonly network: { name: string };

  constructor(args: SizeGuardArgs) {
    super(args, { title: 'SizeGuard', prefix: 'size_guard', options: ['divisor', 'network'] });
    if (!Number.isInteger(args.divisor) || args.divisor < 1) {
      throw new InvalidArgumentError(`divisor must be a whole number >= 1. Received: divisor=${args.divisor}.`);
    }
    this.divisor = args.divisor;
    this.network = args.network ?? { name: 'This network' };
  }

  private check(height: number | null, width: number | null): void {
    const { divisor } = this;
    const legal = (length: number | null) => length === null || (length > 0 && length % divisor === 0);
    if (legal(height) && legal(width)) return;
    const below = (length: number | null) =>
      length === null ? 'any' : Math.max(divisor, Math.floor(length / divisor) * divisor);
    const above = (length: number | null) =>
      length === null ? 'any' : Math.max(divisor, Math.ceil(length / divisor) * divisor);
    const sizes = [`${below(height)}x${below(width)}`, `${above(height)}x${above(width)}`];
    const nearest =
      sizes[0] === sizes[1] ? `the nearest is ${sizes[0]}` : `the nearest are ${sizes[0]} and ${sizes[1]}`;
    throw new InvalidArgumentError(
      `${this.network.name} needs height and width that are multiples of ${divisor}. Received: ${height ?? 'any'}x${width ?? 'any'}. Pad, crop or resize the image to a legal size (height x width): ${nearest}.`,
    );
  }

  protected override transform(x: tf.Tensor4D): tf.Tensor4D {
    this.check(x.shape[1], x.shape[2]);
    return x;
  }

  protected override transformShape(shape: FreeShape): tfl.Shape {
    this.check(shape[1], shape[2]);
    return [...shape];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), divisor: this.divisor, network: this.network };
  }
}
register(SizeGuard);
