/** The layer GroupConv2D: a pyramid of one level under Conv2D's own option names. */
import type * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';
import { isKernelSize, show } from '../spec/index.js';
import { checkLayerKeys } from './layerOptions.js';
import { KERAS_CONV_OPTIONS } from './options.js';
import { GEOMETRY_OPTIONS, PyConv2D, type PyConv2DArgs } from './pyConv2d.js';
import { className, register } from './register.js';

/** Options of {@link groupConv2d}: those of Keras's Conv2D. */
export interface GroupConv2DArgs
  extends Omit<PyConv2DArgs, 'filters' | 'kernelSizes' | 'groups' | 'split' | 'padding'> {
  /** Output channels, divisible by `groups`. */
  readonly filters: number;
  /** Odd. */
  readonly kernelSize: number;
  /** Default 1; as many as input channels: a depthwise convolution. */
  readonly groups?: number;
  /** 'same' (default), 'valid', or a number of pixels on every side. */
  readonly padding?: 'same' | 'valid' | number;
}

const OPTIONS = ['filters', 'kernelSize', 'groups', ...GEOMETRY_OPTIONS, ...KERAS_CONV_OPTIONS];

/** The checks whose messages need Conv2D's names; the rest is a pyramid's. */
function checkArgs({ filters, kernelSize, groups = 1 }: GroupConv2DArgs): void {
  if (!isKernelSize(kernelSize)) {
    throw new InvalidArgumentError(
      `kernelSize of GroupConv2D must be one odd positive whole number. Received: kernelSize=${show(kernelSize)}.`,
    );
  }
  for (const [name, value] of Object.entries({ filters, groups })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new InvalidArgumentError(
      `${name} of GroupConv2D must be a positive whole number. Received: ${name}=${show(value)}.`,
    );
  }
}

/** Grouped convolution as a Keras-style layer; made by {@link groupConv2d}. */
export class GroupConv2D extends PyConv2D {
  /** The name by which a saved model finds this class. */
  static override readonly className: string = className('GroupConv2D');
  private readonly groupArgs: Pick<GroupConv2DArgs, 'filters' | 'kernelSize' | 'groups'>;

  constructor(args: GroupConv2DArgs) {
    checkLayerKeys('GroupConv2D', args, OPTIONS);
    checkArgs(args);
    const { filters, kernelSize, groups = 1, ...rest } = args;
    super({ ...rest, filters: [filters], kernelSizes: [kernelSize], groups: [groups] }, 'group_conv2d');
    this.groupArgs = { filters, kernelSize, groups };
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { kernelSizes: _, ...config } = super.getConfig();
    return { ...config, ...this.groupArgs };
  }

  protected override kernelName(): string {
    return 'kernel';
  }
}
register(GroupConv2D);

/**
 * A layer of grouped convolution: group i of the output channels sees group i of the input channels alone.
 *
 * Input shape [batch, height, width, channels], output [batch, outHeight, outWidth, filters].
 *
 * @param args `filters`, `kernelSize` (odd), `groups`, and Conv2D's other options.
 * @returns The layer.
 * @throws InvalidArgumentError for an unknown or illegal option; where groups do not divide channels and filters, when the
 *   layer meets its input.
 *
 * @example
 * ```ts
 * import * as tfl from '@tensorflow/tfjs-layers';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers } from 'pyconvunet';
 *
 * const input = tfl.input({ shape: [64, 64, 16] });
 * const depthwise = layers.groupConv2d({ filters: 16, kernelSize: 5, groups: 16 });
 * console.log((depthwise.apply(input) as tfl.SymbolicTensor).shape); // [null, 64, 64, 16]
 * ```
 */
export function groupConv2d(args: GroupConv2DArgs): GroupConv2D {
  return new GroupConv2D(args);
}
