/** How a convolution finds its factors, whatever the order in which a layer keeps them and the direction in which it is read. */

import type { Place } from '../program.js';
import type { ConvLevel, Pair, TransposedOp, Weight } from '../types.js';

/** Strides of a filter in bytes, from tap, input, output and group to the next; `base` is the first factor. */
export interface FilterAccess {
  readonly filter: Weight;
  /** Distinguishes it from other ways to read the same filter. */
  readonly key: string;
  readonly base: number;
  readonly row: number;
  readonly column: number;
  readonly input: number;
  readonly output: number;
  readonly group: number;
}

/** A convolution of one level, as the lowering needs it. */
export interface Connection {
  readonly access: FilterAccess;
  readonly kernelSize: Pair;
  readonly groups: number;
  /** Channels that a group reads and makes. */
  readonly inputs: number;
  readonly outputs: number;
  /** Channel of the target to which it writes first. */
  readonly start: number;
}

/** Where sums go: the first channel, and whether they are added to what stands there. */
export interface Destination {
  readonly place: Place;
  readonly accumulate: boolean;
}

/** What follows the sums of each output channel. */
export interface Finish {
  /** The operation: its filters are packed under this name. */
  readonly owner: string;
  /** Factors of the filter, one an output of the target. */
  readonly factors: Float64Array;
  /** Epilogue records of the target's channels. */
  readonly record: Place;
}

/** A level from its input to its output. */
export function forwardConnection(level: ConvLevel, channels: number): Connection {
  const [, kw] = level.kernelSize;
  const all = level.end - level.start;
  const inputs = channels / level.groups;
  const outputs = all / level.groups;
  const access = {
    filter: level.filter,
    key: 'forward',
    base: 0,
    row: 4 * kw * inputs * all,
    column: 4 * inputs * all,
    input: 4 * all,
    output: 4,
    group: 4 * outputs,
  };
  return { access, kernelSize: level.kernelSize, groups: level.groups, inputs, outputs, start: level.start };
}

/** A level from the gradient of its output to that of its input: taps turned round, inputs and outputs exchanged. */
export function backwardConnection(level: ConvLevel, channels: number): Connection {
  const { access, kernelSize, groups, inputs, outputs } = forwardConnection(level, channels);
  const [kh, kw] = kernelSize;
  return {
    access: {
      ...access,
      key: 'backward',
      base: (kh - 1) * access.row + (kw - 1) * access.column,
      row: -access.row,
      column: -access.column,
      input: access.output,
      output: access.input,
    },
    kernelSize,
    groups,
    inputs: outputs,
    outputs: inputs,
    start: 0,
  };
}

/** A transposed convolution [rows, columns, outputs, inputs] from its input to its output. */
export function transposedAccess({ filter, kernelSize }: TransposedOp, inputs: number, outputs: number): FilterAccess {
  const column = 4 * inputs * outputs;
  return {
    filter,
    key: 'forward',
    base: 0,
    row: column * kernelSize[1],
    column,
    input: 4,
    output: 4 * inputs,
    group: 0,
  };
}

/** The filter of one group. */
export const ofGroup = (access: FilterAccess, group: number): FilterAccess => ({
  ...access,
  key: `${access.key} group ${group}`,
  base: access.base + group * access.group,
});

/** The outputs `start` to `end` of a connection without groups. */
export function outputRange(connection: Connection, start: number, end: number): Connection {
  const { access } = connection;
  return {
    ...connection,
    access: { ...access, key: `${access.key} ${start}`, base: access.base + start * access.output },
    outputs: end - start,
  };
}
