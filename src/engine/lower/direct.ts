/** Convolutions of any kernel, stride, dilation and padding as products over lists of places. */
import { EPILOGUE_BYTES } from '../epilogue.js';
import type { Place } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import type { Pair } from '../types.js';
import type { Lowering, View } from './context.js';
import { type Connection, type Destination, type FilterAccess, type Finish, ofGroup } from './filters.js';
import { packedProduct, panelBytes } from './packedProduct.js';
import { nameOf, pixelCount, pixelList, placeLists, windowPlaces } from './places.js';

/** How the pixels of an output follow from those of an input. */
export interface Stencil {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Rows and columns that the first window reaches above and left of the input. */
  readonly before: Pair;
}

/** Where a convolution reads: for each tap and output pixel the place, or the zero place outside of the map. */
export function windowLists(lowering: Lowering, stencil: Stencil, from: Tiles, to: Tiles): Place {
  const { kernelSize, strides, dilations, before } = stencil;
  const key = `windows ${nameOf(from)} ${nameOf(to)} ${kernelSize} ${strides} ${dilations} ${before}`;
  const size = { lists: kernelSize[0] * kernelSize[1], places: pixelCount(to) };
  const along = (axis: 0 | 1) => (tap: number) => (position: number) =>
    position * strides[axis] + tap * dilations[axis] - before[axis];
  return placeLists(lowering, key, size, () => windowPlaces(to, from, kernelSize, along(0), along(1)));
}

/** Offsets of all taps in a filter. */
export const tapOffsets = ({ row, column }: FilterAccess, [kh, kw]: Pair): number[] =>
  Array.from({ length: kh * kw }, (_, tap) => Math.floor(tap / kw) * row + (tap % kw) * column);

/** A direct convolution of any kernel, stride, dilation and padding. */
export function lowerDirect(
  lowering: Lowering,
  input: View,
  { connection, stencil, to }: { connection: Connection; stencil: Stencil; to: Tiles },
  { owner, factors, record }: Finish,
  { place, accumulate }: Destination,
): void {
  const { access, groups, inputs, outputs, kernelSize } = connection;
  const [kh, kw] = kernelSize;
  const from = windowLists(lowering, stencil, input.tiles, to);
  const pixels = roundUp(pixelCount(to), lowering.wide);
  const panel = lowering.scratch(panelBytes(lowering, inputs * kh * kw));
  for (let group = 0; group < groups; group++) {
    const first = connection.start + group * outputs;
    const weights = packedProduct(
      lowering,
      { owner, access: ofGroup(access, group) },
      { rows: outputs, inputs, taps: tapOffsets(access, kernelSize), phases: [] },
      factors.subarray(first, first + outputs),
    );
    lowering.program.call('gatherGemm', {
      channels: lowering.addresses(input, group * inputs, (group + 1) * inputs),
      inputs,
      from,
      taps: kh * kw,
      listLength: pixels,
      pixels,
      out: place.plus(first * to.channelStride),
      outChannel: to.channelStride,
      to: pixelList(lowering, to),
      phases: 1,
      rows: outputs,
      weights,
      epilogue: record.plus(first * EPILOGUE_BYTES),
      panel,
      accumulate: accumulate ? 1 : 0,
    });
  }
  lowering.count(groups * inputs * outputs * kh * kw * pixels);
}
