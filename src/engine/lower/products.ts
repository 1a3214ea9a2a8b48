/** Convolutions as matrix products: 1x1 on whole planes, all others over lists of places. */
import { EPILOGUE_BYTES } from '../epilogue.js';
import type { Place } from '../program.js';
import { isInside, pixelsInOrder, placeOf, roundUp, type Tiles } from '../tiles.js';
import type { Pair, TransposedOp } from '../types.js';
import type { Lowering, View } from './context.js';
import { type Connection, type Destination, type FilterAccess, type Finish, ofGroup } from './filters.js';

/** Zeros stand here in every channel whose margins are zero. */
export const ZERO_PLACE = 0;

/** Bytes of the panel into which the rows of a product are copied. */
function panelBytes(lowering: Lowering, inner: number, panels: number): number {
  return 4 * inner * lowering.wide * panels + 256;
}

/** Pixels of all images. */
export const pixelCount = ({ height, width, batch }: Tiles): number => height * width * batch;

/** Whether a 1x1 convolution is faster over a list of pixels: the padding of small maps costs more than the gathering. */
export function prefersList(lowering: Lowering, tiles: Tiles): boolean {
  const { wide } = lowering;
  const whole = tiles.tile ** 2 * roundUp(tiles.length, wide);
  return 1.2 * roundUp(pixelCount(tiles), wide) < whole;
}

/** Lists of places, each filled up to whole register tiles with its last. */
export function placeLists(
  lowering: Lowering,
  key: string,
  { lists, places }: { readonly lists: number; readonly places: number },
  content: () => number[][],
): Place {
  const length = roundUp(places, lowering.wide);
  return lowering.table(`${key} ${lowering.wide}`, lists * length, () => {
    const words = new Int32Array(lists * length);
    for (const [i, row] of content().entries()) {
      words.fill(row.at(-1) ?? ZERO_PLACE, i * length, (i + 1) * length);
      words.set(row, i * length);
    }
    return words;
  });
}

/** What distinguishes a layout from others, for keys. */
export const nameOf = ({ height, width, tile, batch }: Tiles): string => `${batch}x${height}x${width}/${tile}`;

/** The pixels of a map in the order of memory. */
function pixelList(lowering: Lowering, tiles: Tiles): Place {
  return placeLists(lowering, `pixels ${nameOf(tiles)}`, { lists: 1, places: pixelCount(tiles) }, () => [
    pixelsInOrder(tiles).map((pixel) => placeOf(tiles, pixel)),
  ]);
}

/** The filters of `rows` outputs from `first` on, for the taps at the given offsets, in the order of the products. */
function packedProduct(
  lowering: Lowering,
  { owner, access }: { owner: string; access: FilterAccess },
  {
    first,
    rows,
    inputs,
    taps,
    phases,
    factors,
  }: {
    first: number;
    rows: number;
    inputs: number;
    taps: readonly number[];
    /** Bytes between the taps of the rows of one output; 1 row an output where empty. */
    phases: readonly number[];
    factors: Float64Array;
  },
): Place {
  const [start = 0, next = start] = phases;
  const count = Math.max(1, phases.length);
  return lowering.weights.packed(
    `${owner} ${access.filter.name} product ${access.key} ${first}+${rows} ${taps} ${phases}`,
    4 * roundUp(rows * count, 2) * inputs * taps.length,
    { filter: access.filter, factors },
    (program, places) => {
      program.call('packGemm', {
        filter: places.filter.plus(access.base + first * access.output),
        tapPlaces: places.table(Int32Array.from(taps)),
        inputStride: access.input,
        taps: taps.length,
        inputs,
        rowStride: access.output,
        phaseStride: next - start,
        phases: count,
        rows: rows * count,
        scale: places.scale,
        weights: places.weights,
      });
    },
  );
}

/** A 1x1 convolution of stride 1 without groups. */
export function lowerPointwise(
  lowering: Lowering,
  input: View,
  { access, outputs, start }: Connection,
  { owner, factors, record }: Finish,
  { place, accumulate }: Destination,
): void {
  const { tiles } = input;
  const inner = input.channels;
  const weights = packedProduct(
    lowering,
    { owner, access },
    {
      first: 0,
      rows: outputs,
      inputs: inner,
      taps: [0],
      phases: [],
      factors: factors.subarray(start, start + outputs),
    },
  );
  const common = {
    channels: lowering.addresses(input),
    out: place.plus(start * tiles.channelStride),
    outChannel: tiles.channelStride,
    weights,
    epilogue: record.plus(start * EPILOGUE_BYTES),
    accumulate: accumulate ? 1 : 0,
  };
  if (prefersList(lowering, tiles)) {
    const places = pixelList(lowering, tiles);
    const pixels = roundUp(pixelCount(tiles), lowering.wide);
    lowering.program.call('gatherGemm', {
      ...common,
      inputs: inner,
      from: places,
      taps: 1,
      listLength: pixels,
      pixels,
      to: places,
      phases: 1,
      rows: outputs,
      panel: lowering.scratch(panelBytes(lowering, inner, 1)),
    });
    lowering.count(inner * outputs * pixels);
    return;
  }
  lowering.program.call('gemm', {
    ...common,
    start: tiles.first,
    planes: tiles.tile ** 2,
    planeStride: tiles.planeStride,
    length: tiles.length,
    inner,
    outputs,
    panel: lowering.scratch(panelBytes(lowering, inner, 4)),
    spill: lowering.scratch(512),
  });
  lowering.count(inner * outputs * tiles.tile ** 2 * tiles.length);
}

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
  return placeLists(lowering, key, size, () => {
    const pixels = pixelsInOrder(to);
    const rows: number[][] = [];
    for (let ky = 0; ky < kernelSize[0]; ky++) {
      for (let kx = 0; kx < kernelSize[1]; kx++) {
        rows.push(
          pixels.map(({ sample, y, x }) => {
            const pixel = {
              sample,
              y: y * strides[0] + ky * dilations[0] - before[0],
              x: x * strides[1] + kx * dilations[1] - before[1],
            };
            return isInside(from, pixel) ? placeOf(from, pixel) : ZERO_PLACE;
          }),
        );
      }
    }
    return rows;
  });
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
  const panel = lowering.scratch(panelBytes(lowering, inputs * kh * kw, 1));
  for (let group = 0; group < groups; group++) {
    const first = connection.start + group * outputs;
    const weights = packedProduct(
      lowering,
      { owner, access: ofGroup(access, group) },
      {
        first: 0,
        rows: outputs,
        inputs,
        taps: tapOffsets(access, kernelSize),
        phases: [],
        factors: factors.subarray(first, first + outputs),
      },
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

/** The taps of a transposed convolution that reach the pixels of one phase of the output. */
interface Phase {
  /** Indices of taps, [row, column]. */
  readonly taps: readonly Pair[];
  /** Number of its pixels. */
  readonly pixels: number;
  /** For each tap and pixel the place in the input. */
  readonly sources: () => number[][];
  /** The places of the pixels. */
  readonly places: () => number[];
}

/** out[s y + d k - before] += in[y]: the pixels of the output by what reaches them. */
function phasesOf({ kernelSize, strides, dilations, before }: Stencil, from: Tiles, to: Tiles): Phase[] {
  const axisTaps = (axis: 0 | 1, phase: number): number[] =>
    Array.from({ length: kernelSize[axis] }, (_, k) => k).filter(
      (k) => (phase + before[axis] - k * dilations[axis]) % strides[axis] === 0,
    );
  const phases: Phase[] = [];
  for (let py = 0; py < strides[0]; py++) {
    for (let px = 0; px < strides[1]; px++) {
      const columns = axisTaps(1, px);
      const taps = axisTaps(0, py).flatMap((ky) => columns.map((kx): Pair => [ky, kx]));
      const pixels = () => pixelsInOrder(to).filter(({ y, x }) => y % strides[0] === py && x % strides[1] === px);
      const along = (size: number, stride: number, phase: number) => Math.max(0, Math.ceil((size - phase) / stride));
      phases.push({
        taps,
        pixels: to.batch * along(to.height, strides[0], py) * along(to.width, strides[1], px),
        sources: () => {
          const all = pixels();
          return taps.map(([ky, kx]) =>
            all.map(({ sample, y, x }) => {
              const pixel = {
                sample,
                y: (y + before[0] - ky * dilations[0]) / strides[0],
                x: (x + before[1] - kx * dilations[1]) / strides[1],
              };
              return isInside(from, pixel) ? placeOf(from, pixel) : ZERO_PLACE;
            }),
          );
        },
        places: () => pixels().map((pixel) => placeOf(to, pixel)),
      });
    }
  }
  return phases.filter(({ pixels }) => pixels > 0);
}

/** The stencil of a transposed convolution. */
export const transposedStencil = ({ kernelSize, strides, shift }: TransposedOp): Stencil => ({
  kernelSize,
  strides,
  dilations: [1, 1],
  before: shift,
});

/** Whether each pixel of the input reaches every phase of the output through one tap, and no other pixel does. */
function isTiling({ kernelSize, strides, dilations, before }: Stencil, from: Tiles, to: Tiles): boolean {
  return (
    kernelSize.every((k, axis) => k === strides[axis]) &&
    dilations.every((n) => n === 1) &&
    before.every((n) => n === 0) &&
    to.height === from.height * strides[0] &&
    to.width === from.width * strides[1]
  );
}

/** One product of a transposed convolution: places that share their taps, written to one or several phases of the output. */
interface TransposedProduct {
  readonly key: string;
  /** For each tap and pixel the place in the input. */
  readonly from: () => number[][];
  /** For each phase and pixel the place in the output. */
  readonly to: () => number[][];
  readonly pixels: number;
  readonly taps: readonly Pair[];
  /** The taps of the phases where they differ in nothing else. */
  readonly phases: readonly Pair[];
}

/** Where each pixel of the input reaches all phases of its tile, values that are gathered once serve them all. */
function tilingProduct({ kernelSize: [kh, kw] }: Stencil, from: Tiles, to: Tiles): TransposedProduct {
  const phases = Array.from({ length: kh * kw }, (_, i): Pair => [Math.floor(i / kw), i % kw]);
  return {
    key: 'tiling',
    from: () => [pixelsInOrder(from).map((pixel) => placeOf(from, pixel))],
    to: () => {
      const pixels = pixelsInOrder(from);
      return phases.map(([ky, kx]) =>
        pixels.map(({ sample, y, x }) => placeOf(to, { sample, y: y * kh + ky, x: x * kw + kx })),
      );
    },
    pixels: pixelCount(from),
    taps: [[0, 0]],
    phases,
  };
}

const phaseProduct = ({ taps, pixels, sources, places }: Phase, index: number): TransposedProduct => ({
  key: `phase ${index}`,
  // Where no tap reaches, a product with zeros writes the epilogue of nothing.
  from: () => (taps.length === 0 ? [places().map(() => ZERO_PLACE)] : sources()),
  to: () => [places()],
  pixels,
  taps,
  phases: [],
});

/** Packs the filters of one product of a transposed convolution. */
type PackProduct = (source: {
  readonly rows: number;
  readonly inputs: number;
  readonly taps: readonly number[];
  readonly phases: readonly number[];
}) => Place;

/** A transposed convolution without groups whose filters are packed by somebody else; `tapRow`, `tapColumn`: from tap to tap. */
export function lowerTransposedWith(
  lowering: Lowering,
  input: View,
  {
    stencil,
    to,
    outputs,
    tapRow,
    tapColumn,
  }: {
    stencil: Stencil;
    to: Tiles;
    outputs: number;
    tapRow: number;
    tapColumn: number;
  },
  pack: PackProduct,
  epilogue: Place,
  { place, accumulate }: Destination,
): void {
  const inputs = input.channels;
  const { kernelSize, strides, dilations, before } = stencil;
  const key = `transposed ${nameOf(input.tiles)} ${nameOf(to)} ${kernelSize} ${strides} ${dilations} ${before}`;
  const offset = ([ky, kx]: Pair) => ky * tapRow + kx * tapColumn;
  const products = isTiling(stencil, input.tiles, to)
    ? [tilingProduct(stencil, input.tiles, to)]
    : phasesOf(stencil, input.tiles, to).map(phaseProduct);
  for (const product of products) {
    const isEmpty = product.taps.length === 0;
    if (isEmpty && accumulate) continue;
    const count = Math.max(1, product.phases.length);
    const weights = isEmpty
      ? lowering.zeroWeights(roundUp(outputs, 2) * inputs)
      : pack({
          rows: outputs,
          inputs,
          taps: product.taps.map(offset),
          phases: product.phases.map(offset),
        });
    const taps = Math.max(1, product.taps.length);
    const pixels = roundUp(product.pixels, lowering.wide);
    lowering.program.call('gatherGemm', {
      channels: lowering.addresses(input),
      inputs,
      from: placeLists(lowering, `${key} from ${product.key}`, { lists: taps, places: product.pixels }, product.from),
      taps,
      listLength: pixels,
      pixels,
      out: place,
      outChannel: to.channelStride,
      to: placeLists(lowering, `${key} to ${product.key}`, { lists: count, places: product.pixels }, product.to),
      phases: count,
      rows: outputs * count,
      weights,
      epilogue,
      panel: lowering.scratch(panelBytes(lowering, inputs * taps, 1)),
      accumulate: accumulate ? 1 : 0,
    });
  }
  lowering.count(inputs * outputs * kernelSize[0] * kernelSize[1] * pixelCount(input.tiles));
}

/** A transposed convolution: each phase of its stride, the pixels that the same taps reach, is a convolution of its own. */
export function lowerTransposed(
  lowering: Lowering,
  input: View,
  { connection, stencil, to }: { connection: Connection; stencil: Stencil; to: Tiles },
  { owner, factors, record }: Finish,
  { place, accumulate }: Destination,
): void {
  const { access, groups, inputs, outputs, start } = connection;
  for (let group = 0; group < groups; group++) {
    const first = start + group * outputs;
    lowerTransposedWith(
      lowering,
      lowering.slice(input, group * inputs, (group + 1) * inputs),
      { stencil, to, outputs, tapRow: access.row, tapColumn: access.column },
      (source) =>
        packedProduct(
          lowering,
          { owner, access: ofGroup(access, group) },
          {
            first: 0,
            ...source,
            factors: factors.subarray(first, first + outputs),
          },
        ),
      record.plus(first * EPILOGUE_BYTES),
      { place: place.plus(first * to.channelStride), accumulate },
    );
  }
}
