/** Padding as users write it, and as every kernel reads it: pixels on each side. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { show } from './options.js';

/**
 * 'same' as TensorFlow pads (the surplus at the end), 'valid' (none), a number of pixels on every side as PyTorch pads,
 * or one such number per level.
 */
export type Padding = 'same' | 'valid' | number | readonly number[];

/** Pixels added on each side. */
export interface SidePadding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** The padding of one level: 'same', or pixels on both sides. */
export type LevelPadding = 'same' | number;

const isLevelPadding = (value: unknown): value is LevelPadding =>
  value === 'same' || (Number.isInteger(value) && Number(value) >= 0);

/**
 * Resolves the padding of each of `count` levels.
 *
 * @throws InvalidArgumentError where it is none of what {@link Padding} says.
 */
export function levelPaddings(padding: Padding, count: number): LevelPadding[] {
  const paddings: unknown[] = Array.isArray(padding)
    ? [...padding]
    : new Array<unknown>(count).fill(padding === 'valid' ? 0 : padding);
  if (paddings.length !== count || !paddings.every(isLevelPadding)) {
    throw new InvalidArgumentError(
      `padding must be 'same', 'valid', a whole number >= 0, or one such number for each of the ${count} levels. Received: padding=${show(padding)}.`,
    );
  }
  return paddings;
}

/** Extent of a kernel of `kernelSize` taps that lie `dilation` apart. */
export const dilatedSize = (kernelSize: number, dilation: number): number => (kernelSize - 1) * dilation + 1;

/** Padding before and after along one axis. */
export function axisPadding(
  size: number,
  kernelSize: number,
  stride: number,
  dilation: number,
  padding: LevelPadding,
): [number, number] {
  if (padding !== 'same') return [padding, padding];
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + dilatedSize(kernelSize, dilation) - size, 0);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** Output size along one axis; 0 or less where the kernel does not fit. */
export function axisOutput(
  size: number,
  kernelSize: number,
  stride: number,
  dilation: number,
  padding: LevelPadding,
): number {
  if (padding === 'same') return Math.ceil(size / stride);
  return Math.floor((size + 2 * padding - dilatedSize(kernelSize, dilation)) / stride) + 1;
}
