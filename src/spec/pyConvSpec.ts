/** One pyramidal convolution, fully resolved: the one place of its rules. Op, layer, kernels and counter read it. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { ACTIVATIONS, type Activation } from './activation.js';
import { isKernelSize } from './levels.js';
import { show } from './options.js';
import {
  axisOutput,
  axisPadding,
  type LevelPadding,
  levelPaddings,
  type Padding,
  type SidePadding,
} from './padding.js';

/** Options of a pyramidal convolution whose filters are given. */
export interface PyConvOptions {
  /** Groups per level; a single number serves all levels. Default 1. */
  readonly groups?: number | readonly number[];
  /** Step between output pixels, [rows, columns] or one number. Default 1. */
  readonly strides?: number | readonly [number, number];
  /** See {@link Padding}. Default 'same'. */
  readonly padding?: Padding;
  /** Distance between the taps of a kernel, [rows, columns] or one number. Default 1. */
  readonly dilations?: number | readonly [number, number];
  /** Default 'linear'. */
  readonly activation?: Activation;
}

/** One level of a resolved pyramid. */
export interface PyConvLevel {
  readonly kernelSize: number;
  readonly groups: number;
  /** Its slice of the output channels. */
  readonly channels: { readonly start: number; readonly end: number };
  readonly padding: SidePadding;
}

/** One pyramidal convolution, fully resolved. */
export interface PyConvSpec {
  readonly batch: number;
  readonly input: { readonly height: number; readonly width: number; readonly channels: number };
  readonly output: { readonly height: number; readonly width: number; readonly channels: number };
  readonly levels: readonly PyConvLevel[];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly activation: Activation;
}

/** Names of {@link PyConvOptions}. */
export const PY_CONV_OPTIONS: readonly string[] = ['groups', 'strides', 'padding', 'dilations', 'activation'];

/**
 * A number for rows and one for columns.
 *
 * @throws InvalidArgumentError where they are no positive whole numbers, under the option's own name.
 */
export function axisPair(name: string, value: number | readonly number[] | undefined): [number, number] {
  const [rows = 0, columns = 0, ...surplus] = Array.isArray(value) ? value : [value ?? 1, value ?? 1];
  if (surplus.length > 0 || ![rows, columns].every((v) => Number.isInteger(v) && v > 0)) {
    throw new InvalidArgumentError(
      `${name} must be a positive whole number or [rows, columns] of such. Received: ${name}=${show(value)}.`,
    );
  }
  return [rows, columns];
}

/** One entry of `groups` for each level. */
function groupsPerLevel(groups: number | readonly number[], count: number): readonly number[] {
  if (typeof groups === 'number') return new Array<number>(count).fill(groups);
  if (!Array.isArray(groups) || groups.length !== count) {
    const advice = (groups as unknown) === 'auto' ? " The layer PyConv2D takes groups: 'auto'." : '';
    throw new InvalidArgumentError(
      `groups must be a whole number, or a list with one for each of the ${count} levels. Received: groups=${show(groups)}.${advice}`,
    );
  }
  return groups;
}

function checkLevel(index: number, shape: readonly number[], groups: number, inputChannels: number): void {
  const [kernelHeight = 0, kernelWidth = 0, depth = 0, filters = 0] = shape;
  const where = `level ${index + 1}`;
  if (shape.length !== 4 || kernelHeight !== kernelWidth || !isKernelSize(kernelHeight)) {
    throw new InvalidArgumentError(
      `The filter of ${where} must have the shape [k, k, inputChannels / groups, filters] with k odd. Received: shape=${show(shape)}.`,
    );
  }
  if (
    !Number.isInteger(groups) ||
    groups < 1 ||
    filters < 1 ||
    inputChannels % groups !== 0 ||
    filters % groups !== 0
  ) {
    throw new InvalidArgumentError(
      `The groups of ${where} must be a positive whole number that divides both its input channels and its filters. Received: groups=${show(groups)}, inputChannels=${inputChannels}, filters=${filters}. Choose other groups; the layer PyConv2D also takes groups: 'auto'.`,
    );
  }
  if (depth !== inputChannels / groups) {
    throw new InvalidArgumentError(
      `The filter of ${where} must have inputChannels / groups = ${inputChannels} / ${groups} = ${inputChannels / groups} as its third dimension. Received: shape=${show(shape)}.`,
    );
  }
}

interface Pyramid {
  readonly levels: readonly { kernelSize: number; groups: number; start: number; end: number; padding: LevelPadding }[];
  readonly strides: [number, number];
  readonly dilations: [number, number];
  readonly activation: Activation;
  readonly channels: number;
}

/** What does not depend on the size of the image. */
function pyramid(inputChannels: number, filterShapes: readonly (readonly number[])[], options: PyConvOptions): Pyramid {
  if (filterShapes.length === 0)
    throw new InvalidArgumentError('A pyramidal convolution needs at least one level. Received: filters=[].');
  const { groups = 1, activation = 'linear' } = options;
  const groupList = groupsPerLevel(groups, filterShapes.length);
  if (!ACTIVATIONS.includes(activation)) {
    throw new InvalidArgumentError(
      `activation must be one of ${ACTIVATIONS.join(', ')}. Received: activation=${show(activation)}.`,
    );
  }
  const paddings = levelPaddings(options.padding ?? 'same', filterShapes.length);
  let channels = 0;
  const levels = filterShapes.map((shape, i) => {
    const levelGroups = groupList[i] ?? 0;
    checkLevel(i, shape, levelGroups, inputChannels);
    const start = channels;
    channels += shape[3] ?? 0;
    return { kernelSize: shape[0] ?? 0, groups: levelGroups, start, end: channels, padding: paddings[i] ?? 0 };
  });
  return {
    levels,
    strides: axisPair('strides', options.strides),
    dilations: axisPair('dilations', options.dilations),
    activation,
    channels,
  };
}

/** The size that every level gives along one axis. */
function outputSize(axis: 0 | 1, size: number, p: Pyramid): number {
  const sizes = p.levels.map((l) => axisOutput(size, l.kernelSize, p.strides[axis], p.dilations[axis], l.padding));
  const name = axis === 0 ? 'height' : 'width';
  const [first = 0] = sizes;
  if (sizes.some((s) => s !== first)) {
    const levels = p.levels
      .map((l, i) => `kernel ${l.kernelSize} with padding ${l.padding} gives ${sizes[i]}`)
      .join(', ');
    throw new InvalidArgumentError(
      `All levels must give the same ${name}: ${levels}. Use padding 'same', or one number per level such as [${p.levels.map((l) => ((l.kernelSize - 1) / 2) * p.dilations[axis]).join(', ')}].`,
    );
  }
  if (first < 1) {
    throw new InvalidArgumentError(
      `The input is too small: ${name}=${size} leaves no output for kernels [${p.levels.map((l) => l.kernelSize).join(', ')}] with dilation ${p.dilations[axis]}. Give a larger image or padding 'same'.`,
    );
  }
  return first;
}

/**
 * Resolves a pyramidal convolution.
 *
 * @param inputShape [batch, height, width, channels] of the input.
 * @param filterShapes One [k, k, channels / groups, filters] per level.
 * @param options Groups, strides, padding, dilations, activation.
 * @returns The frozen description that kernels, gradients and counters read.
 * @throws InvalidArgumentError for every illegal combination, naming the level and the numbers.
 */
export function pyConvSpec(
  inputShape: readonly [number, number, number, number],
  filterShapes: readonly (readonly number[])[],
  options: PyConvOptions = {},
): PyConvSpec {
  const [batch, height, width, channels] = inputShape;
  const p = pyramid(channels, filterShapes, options);
  const output = { height: outputSize(0, height, p), width: outputSize(1, width, p), channels: p.channels };
  const levels = p.levels.map(({ kernelSize, groups, start, end, padding }) => {
    const [top, bottom] = axisPadding(height, kernelSize, p.strides[0], p.dilations[0], padding);
    const [left, right] = axisPadding(width, kernelSize, p.strides[1], p.dilations[1], padding);
    return { kernelSize, groups, channels: { start, end }, padding: { top, bottom, left, right } };
  });
  return Object.freeze({
    batch,
    input: { height, width, channels },
    output,
    levels,
    strides: p.strides,
    dilations: p.dilations,
    activation: p.activation,
  });
}

/** A shape whose batch, height and width may be free. */
export type FreeShape = readonly [number | null, number | null, number | null, number];

/**
 * The output shape of a pyramidal convolution whose batch, height or width may be free (null).
 *
 * @throws InvalidArgumentError as {@link pyConvSpec} does.
 */
export function pyConvOutputShape(
  inputShape: FreeShape,
  filterShapes: readonly (readonly number[])[],
  options: PyConvOptions = {},
): FreeShape {
  const [batch, height, width, channels] = inputShape;
  const p = pyramid(channels, filterShapes, options);
  return [
    batch,
    height === null ? null : outputSize(0, height, p),
    width === null ? null : outputSize(1, width, p),
    p.channels,
  ];
}

/**
 * Real cost of a pyramidal convolution, with its real groups and without bias.
 *
 * @returns Parameters of the filters, and multiply-accumulates for one image (batch not counted).
 */
export function countPyConv(spec: PyConvSpec): { parameters: number; macs: number } {
  const parameters = spec.levels.reduce(
    (sum, { kernelSize, groups, channels }) =>
      sum + kernelSize ** 2 * (spec.input.channels / groups) * (channels.end - channels.start),
    0,
  );
  return { parameters, macs: parameters * spec.output.height * spec.output.width };
}
