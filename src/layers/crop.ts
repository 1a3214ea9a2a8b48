/** Cropping of rows and columns that also knows its output shape where height and width are free. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';
import type { FreeShape } from '../spec/index.js';
import { FixedLayer, type LayerArgs } from './fixedLayer.js';
import { className, register } from './register.js';

/** Options of {@link crop}. */
export interface CropArgs extends LayerArgs {
  /** Pixels to leave out: [[top, bottom], [left, right]]. */
  cropping: [[number, number], [number, number]];
}

const isPair = (pair: unknown): pair is [number, number] =>
  Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 0);

/** The layer behind {@link crop}. */
export class Crop extends FixedLayer {
  /** The name by which a saved model finds this class. */
  static readonly className: string = className('Crop');
  private readonly cropping: [[number, number], [number, number]];

  constructor(args: CropArgs) {
    super(args, { title: 'Crop', prefix: 'crop', options: ['cropping'] });
    const { cropping } = args;
    if (!Array.isArray(cropping) || cropping.length !== 2 || !cropping.every(isPair)) {
      throw new InvalidArgumentError(
        `cropping must be [[top, bottom], [left, right]] in whole pixels >= 0. Received: cropping=${JSON.stringify(cropping)}.`,
      );
    }
    this.cropping = cropping;
  }

  private length(size: number | null, [start, end]: [number, number], axis: string): number | null {
    if (size === null) return null;
    if (size <= start + end) {
      throw new InvalidArgumentError(
        `The layer '${this.name}' crops ${start} + ${end} pixels of the ${axis} and needs more than that. Received: ${axis} ${size}.`,
      );
    }
    return size - start - end;
  }

  protected override transform(x: tf.Tensor4D): tf.Tensor4D {
    const [batch, height, width, channels] = x.shape;
    const [rows, columns] = this.cropping;
    const size = [batch, this.length(height, rows, 'height') ?? 0, this.length(width, columns, 'width') ?? 0, channels];
    return tf.slice(x, [0, rows[0], columns[0], 0], size);
  }

  protected override transformShape([batch, height, width, channels]: FreeShape): tfl.Shape {
    const [rows, columns] = this.cropping;
    return [batch, this.length(height, rows, 'height'), this.length(width, columns, 'width'), channels];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), cropping: this.cropping };
  }
}
register(Crop);

/**
 * A layer that leaves out rows and columns at the edges; unlike tfjs's cropping2D also for free sizes.
 *
 * @param args `cropping`: [[top, bottom], [left, right]] in pixels; a layer's usual options.
 * @returns The layer: [batch, height, width, channels] to [batch, height - top - bottom, width - left - right, channels].
 * @throws InvalidArgumentError where `cropping` is no such list, or leaves nothing of the input.
 *
 * @example
 * ```ts
 * import * as tfl from '@tensorflow/tfjs-layers';
 * import { layers } from 'pyconvunet';
 *
 * const input = tfl.input({ shape: [null, null, 8] });
 * const y = layers.crop({ cropping: [[1, 0], [1, 0]] }).apply(input) as tfl.SymbolicTensor;
 * console.log(y.shape); // [null, null, null, 8]
 * ```
 */
export function crop(args: CropArgs): Crop {
  return new Crop(args);
}
