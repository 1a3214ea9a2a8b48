/** The levels of a pyramid from a layer's options: kernel sizes, groups and filters per level, with the defaults of the papers. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { show } from './options.js';

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

const isCount = (value: unknown) => Number.isInteger(value) && Number(value) > 0;

/** Whether a value is the size of a kernel: odd, so that it has a pixel in its middle. */
export const isKernelSize = (value: unknown): boolean => isCount(value) && Number(value) % 2 === 1;

function levelCount({ filters, kernelSizes, groups, split }: LevelOptions): number {
  const lengths: [string, readonly number[] | undefined][] = [
    ['kernelSizes', kernelSizes],
    ['filters', typeof filters === 'number' ? undefined : filters],
    ['groups', typeof groups === 'string' ? undefined : groups],
    ['split', split],
  ];
  const given = lengths.filter((entry): entry is [string, readonly number[]] => entry[1] !== undefined);
  const count = given[0]?.[1].length ?? 4;
  const legal = given.every(([, values]) => Array.isArray(values) && values.length === count);
  if (count === 0 || !legal) {
    const received = given.map(([name, values]) => `${name}=${show(values)}`).join(', ');
    throw new InvalidArgumentError(
      `A pyramidal convolution needs one entry per level in each list, and at least one level. Received: ${received}. Give the lists the same length.`,
    );
  }
  return count;
}

/** Of shares of more digits than whole numbers of channels have, no number is found. */
const FARTHEST = 4096;

/** The number of filters nearest to `filters` that the shares split into whole multiples of the groups. */
function nearestFilters(filters: number, split: readonly number[], groups: readonly number[]): number | undefined {
  const isLegal = (candidate: number) =>
    split.every((share, i) => {
      const part = Math.round(share * candidate);
      return part > 0 && Math.abs(part - share * candidate) <= 1e-6 && part % (groups[i] ?? 1) === 0;
    });
  for (let distance = 1; distance <= FARTHEST; distance++) {
    const found = [filters + distance, filters - distance].find((candidate) => candidate > 0 && isLegal(candidate));
    if (found !== undefined) return found;
  }
  return undefined;
}

function splitFilters(filters: number, split: readonly number[], groups: readonly number[]): number[] {
  const total = split.reduce((sum, share) => sum + share, 0);
  if (split.some((share) => !(share > 0)) || Math.abs(total - 1) > 1e-6) {
    throw new InvalidArgumentError(
      `split must hold positive shares that add up to 1. Received: split=${show(split)} (sum ${total}).`,
    );
  }
  const parts = split.map((share) => Math.round(share * filters));
  if (parts.some((part, i) => Math.abs(part - (split[i] ?? 0) * filters) > 1e-6)) {
    const nearest = nearestFilters(filters, split, groups);
    const example = nearest === undefined ? '' : ` (the nearest that the groups divide too: filters: ${nearest})`;
    throw new InvalidArgumentError(
      `filters=${filters} cannot be split by ${show(split)} into whole numbers of channels. Choose filters that the shares divide${example}, another split, or give filters per level.`,
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

/** What a layer's options say about its levels before its input is known. */
interface LevelPlan {
  readonly kernelSizes: readonly number[];
  readonly filters: readonly number[];
  /** Groups per level; of 'auto' the limits. */
  readonly groups: readonly number[];
  readonly auto: boolean;
}

/** Checks each value of the lists by itself. */
function checkValues({ filters, kernelSizes, groups }: LevelOptions): void {
  if (kernelSizes !== undefined && !kernelSizes.every(isKernelSize)) {
    throw new InvalidArgumentError(
      `kernelSizes must hold odd positive whole numbers, one for each level. Received: kernelSizes=${show(kernelSizes)}.`,
    );
  }
  const legal = Array.isArray(filters) ? filters.every(isCount) : isCount(filters);
  if (!legal) {
    throw new InvalidArgumentError(
      `filters must be a positive whole number, or one for each level. Received: filters=${show(filters)}.`,
    );
  }
  if (groups !== undefined && groups !== 'auto' && !(Array.isArray(groups) && groups.every(isCount))) {
    throw new InvalidArgumentError(
      `groups must be 'auto', or hold positive whole numbers, one for each level. Received: groups=${show(groups)}.`,
    );
  }
}

/**
 * The levels as far as they do not depend on the input: with every default, checked.
 *
 * @throws InvalidArgumentError where lists differ in length or hold illegal values, shares do not add up, or filters cannot
 *   be split.
 */
export function planLevels(options: LevelOptions): LevelPlan {
  const count = levelCount(options);
  checkValues(options);
  const defaults = DEFAULTS[count];
  const need = (name: string): never => {
    throw new InvalidArgumentError(
      `There are defaults for 1 to 4 levels only. Received ${count} levels without ${name}: give ${name} with one entry per level.`,
    );
  };
  const { filters, split, groups = 'auto' } = options;
  if (typeof filters !== 'number' && split !== undefined) {
    throw new InvalidArgumentError(
      `filters per level leave nothing to split. Received: filters=${show(filters)}, split=${show(split)}. Give one number of filters with split, or leave split out.`,
    );
  }
  const kernelSizes = options.kernelSizes ?? defaults?.kernelSizes ?? need('kernelSizes');
  const ofLevels = groups === 'auto' ? (defaults?.groups ?? need('groups')) : groups;
  const auto = options.groups === 'auto';
  return {
    kernelSizes,
    // Groups that are found once the input is known divide any number.
    filters:
      typeof filters === 'number'
        ? splitFilters(filters, split ?? defaults?.split ?? need('split'), auto ? [] : ofLevels)
        : filters,
    groups: ofLevels,
    auto,
  };
}

/**
 * Resolves a layer's options into levels for an input of `inputChannels` channels.
 *
 * @param options Kernel sizes, groups, split and filters; see {@link LevelOptions}.
 * @param inputChannels Channels of the input, which 'auto' groups must divide.
 * @returns One entry per level, in the order of the output channels.
 * @throws InvalidArgumentError as {@link planLevels} does.
 */
export function resolveLevels(options: LevelOptions, inputChannels: number): Level[] {
  const { kernelSizes, filters, groups, auto } = planLevels(options);
  return kernelSizes.map((kernelSize, i) => {
    const levelFilters = filters[i] ?? 0;
    const limit = groups[i] ?? 0;
    return {
      kernelSize,
      filters: levelFilters,
      groups: auto ? autoGroups(limit, inputChannels, levelFilters) : limit,
    };
  });
}
