/** The levels of a pyramid from a layer's options: kernel sizes, groups and filters per level, with the defaults of the papers. */
import { InvalidArgumentError } from '../runtime/errors.js';

/** What a layer says about its levels; every omitted part has a default. */
export interface LevelOptions {
  /** Output channels: all levels together, or one number per level. */
  readonly filters: number | readonly number[];
  /** Odd kernel sizes, one per level, in growing order. Default 3, 5, 7, 9. */
  readonly kernelSizes?: readonly number[];
  /** Groups per level, or 'auto': the largest legal power of two not above the default. */
  readonly groups?: readonly number[] | 'auto';
  /** The share of `filters` that each level makes; adds up to 1. */
  readonly split?: readonly number[];
}

/** One level before it meets its input. */
export interface Level {
  readonly kernelSize: number;
  readonly groups: number;
  readonly filters: number;
}

/** Defaults by number of levels: the published code of PyConvU-Net for 4, Duta et al. 2020 for fewer. */
const DEFAULTS: Readonly<Record<number, { kernelSizes: number[]; groups: number[]; split: number[] }>> = {
  1: { kernelSizes: [3], groups: [1], split: [1] },
  2: { kernelSizes: [3, 5], groups: [1, 4], split: [1 / 2, 1 / 2] },
  3: { kernelSizes: [3, 5, 7], groups: [1, 4, 8], split: [1 / 4, 1 / 4, 1 / 2] },
  4: { kernelSizes: [3, 5, 7, 9], groups: [1, 4, 8, 16], split: [1 / 8, 1 / 8, 1 / 4, 1 / 2] },
};

const isCount = (value: number) => Number.isInteger(value) && value > 0;
const list = (values: readonly number[]) => (Array.isArray(values) ? `[${values.join(', ')}]` : String(values));

function levelCount({ filters, kernelSizes, groups, split }: LevelOptions): number {
  const lengths: [string, readonly number[] | undefined][] = [
    ['kernelSizes', kernelSizes],
    ['filters', typeof filters === 'number' ? undefined : filters],
    ['groups', groups === 'auto' ? undefined : groups],
    ['split', split],
  ];
  const given = lengths.filter((entry): entry is [string, readonly number[]] => entry[1] !== undefined);
  const count = given[0]?.[1].length ?? 4;
  const legal = given.every(([, values]) => Array.isArray(values) && values.length === count);
  if (count === 0 || !legal) {
    const received = given.map(([name, values]) => `${name}=${list(values)}`).join(', ');
    throw new InvalidArgumentError(
      `A pyramidal convolution needs one entry per level in each list, and at least one level. Received: ${received}. Give the lists the same length.`,
    );
  }
  return count;
}

function splitFilters(filters: number, split: readonly number[]): number[] {
  const total = split.reduce((sum, share) => sum + share, 0);
  if (split.some((share) => !(share > 0)) || Math.abs(total - 1) > 1e-6) {
    throw new InvalidArgumentError(
      `split must hold positive shares that add up to 1. Received: split=${list(split)} (sum ${total}).`,
    );
  }
  const parts = split.map((share) => Math.round(share * filters));
  if (parts.some((part, i) => Math.abs(part - (split[i] ?? 0) * filters) > 1e-6)) {
    throw new InvalidArgumentError(
      `filters=${filters} cannot be split by ${list(split)} into whole numbers of channels. Choose filters that the shares divide, another split, or give filters per level, for example filters: ${list(parts)}.`,
    );
  }
  return parts;
}

/** The largest power of two that divides both channel counts and is not above `limit`. */
function autoGroups(limit: number, inputChannels: number, filters: number): number {
  let groups = 1;
  while (groups * 2 <= limit && inputChannels % (groups * 2) === 0 && filters % (groups * 2) === 0) groups *= 2;
  return groups;
}

/**
 * Resolves a layer's options into levels for an input of `inputChannels` channels.
 *
 * @param options Kernel sizes, groups, split and filters; see {@link LevelOptions}.
 * @param inputChannels Channels of the input, which 'auto' groups must divide.
 * @returns One entry per level, in the order of the output channels.
 * @throws InvalidArgumentError where lists differ in length, shares do not add up, or filters cannot be split.
 */
export function resolveLevels(options: LevelOptions, inputChannels: number): Level[] {
  const count = levelCount(options);
  const defaults = DEFAULTS[count];
  const need = (name: string): never => {
    throw new InvalidArgumentError(
      `There are defaults for 1 to 4 levels only. Received ${count} levels without ${name}: give ${name} with one entry per level.`,
    );
  };
  const kernelSizes = options.kernelSizes ?? defaults?.kernelSizes ?? need('kernelSizes');
  const { filters } = options;
  const legal = Array.isArray(filters) ? filters.every(isCount) : typeof filters === 'number' && isCount(filters);
  if (!legal) {
    const received = typeof filters === 'number' ? filters : list(filters);
    throw new InvalidArgumentError(
      `filters must be a positive whole number, or one for each level. Received: filters=${received}.`,
    );
  }
  if (typeof filters !== 'number' && options.split !== undefined) {
    throw new InvalidArgumentError(
      `filters per level leave nothing to split. Received: filters=${list(filters)}, split=${list(options.split)}. Give one number of filters with split, or leave split out.`,
    );
  }
  const parts =
    typeof filters === 'number' ? splitFilters(filters, options.split ?? defaults?.split ?? need('split')) : filters;
  const limits =
    options.groups === 'auto' || options.groups === undefined ? (defaults?.groups ?? need('groups')) : options.groups;
  return kernelSizes.map((kernelSize, i) => {
    const levelFilters = parts[i] ?? 0;
    const limit = limits[i] ?? 0;
    return {
      kernelSize,
      filters: levelFilters,
      groups: options.groups === 'auto' ? autoGroups(limit, inputChannels, levelFilters) : limit,
    };
  });
}
