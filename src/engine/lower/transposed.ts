/** Transposed convolutions: each phase of the stride is a product over lists of places. */
import { EPILOGUE_BYTES } from '../epilogue.js';
import type { Place } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import type { Pair, Precision, TransposedOp } from '../types.js';
import type { Lowering, View } from './context.js';
import type { Stencil } from './direct.js';
import { type Connection, type Destination, type Finish, ofGroup } from './filters.js';
import { type ProductFilters, packedProduct, panelBytes } from './packedProduct.js';
import {
  type Along,
  itself,
  nameOf,
  pixelCount,
  pixelPlaces,
  placeLists,
  placesOf,
  windowPlaces,
  ZERO_PLACE,
} from './places.js';
import { strassenMacs, strassenOperands, strassenWeights, suitsStrassen } from './strassen.js';

/** The taps of a transposed convolution that reach the pixels of one phase of the output. */
interface Phase {
  /** Indices of taps, [row, column]. */
  readonly taps: readonly Pair[];
  /** Number of its pixels. */
  readonly pixels: number;
  /** For each tap and pixel the place in the input. */
  readonly sources: () => Float64Array[];
  /** The places of the pixels. */
  readonly places: () => Float64Array;
}

/** Leaves all positions out but those of one phase of a stride. */
const only =
  (stride: number, phase: number) =>
  (along: Along): Along =>
  (position) =>
    position % stride === phase ? along(position) : null;

/** out[s y + d k - before] += in[y]: the pixels of the output by what reaches them. */
function phasesOf({ kernelSize, strides, dilations, before }: Stencil, from: Tiles, to: Tiles): Phase[] {
  const axisTaps = (axis: 0 | 1, phase: number): number[] =>
    Array.from({ length: kernelSize[axis] }, (_, k) => k).filter(
      (k) => (phase + before[axis] - k * dilations[axis]) % strides[axis] === 0,
    );
  const phases: Phase[] = [];
  for (let py = 0; py < strides[0]; py++) {
    for (let px = 0; px < strides[1]; px++) {
      const columnTaps = axisTaps(1, px);
      const taps = axisTaps(0, py).flatMap((ky) => columnTaps.map((kx): Pair => [ky, kx]));
      const rows = only(strides[0], py);
      const columns = only(strides[1], px);
      const along = (size: number, stride: number, phase: number) => Math.max(0, Math.ceil((size - phase) / stride));
      phases.push({
        taps,
        pixels: to.batch * along(to.height, strides[0], py) * along(to.width, strides[1], px),
        sources: () =>
          taps.map(([ky, kx]) =>
            placesOf(
              to,
              from,
              rows((y) => (y + before[0] - ky * dilations[0]) / strides[0]),
              columns((x) => (x + before[1] - kx * dilations[1]) / strides[1]),
            ),
          ),
        places: () => placesOf(to, to, rows(itself), columns(itself)),
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
  readonly from: () => Float64Array[];
  /** For each phase and pixel the place in the output. */
  readonly to: () => Float64Array[];
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
    from: () => [pixelPlaces(from)],
    to: () =>
      windowPlaces(
        from,
        to,
        [kh, kw],
        (ky) => (y) => y * kh + ky,
        (kx) => (x) => x * kw + kx,
      ),
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

/** Packs the filters of a transposed convolution. */
export interface TransposedFilters {
  /** Those of one product. */
  readonly product: (source: ProductFilters) => Place;
  /** Those of all phases for Strassen's algorithm, by the offsets of their taps. */
  readonly strassen: (phases: readonly number[]) => Place;
}

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
    precision,
  }: {
    stencil: Stencil;
    to: Tiles;
    outputs: number;
    tapRow: number;
    tapColumn: number;
    precision: Precision;
  },
  filters: TransposedFilters,
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
    const taps = Math.max(1, product.taps.length);
    const pixels = roundUp(product.pixels, lowering.wide);
    const phases = product.phases.map(offset);
    const common = {
      channels: lowering.addresses(input),
      inputs,
      from: placeLists(lowering, `${key} from ${product.key}`, { lists: taps, places: product.pixels }, product.from),
      listLength: pixels,
      pixels,
      out: place,
      outChannel: to.channelStride,
      to: placeLists(lowering, `${key} to ${product.key}`, { lists: count, places: product.pixels }, product.to),
      phases: count,
      epilogue,
      accumulate: accumulate ? 1 : 0,
    };
    const size = { inner: inputs, outputs, phases: count, pixels: product.pixels };
    if (phases.length > 0 && suitsStrassen(precision, size)) {
      const weights = filters.strassen(phases);
      lowering.program.call('gatherStrassen', { ...common, weights, ...strassenOperands(lowering, size) });
      lowering.count(strassenMacs(lowering, size));
      continue;
    }
    lowering.program.call('gatherGemm', {
      ...common,
      taps,
      rows: outputs * count,
      weights: isEmpty
        ? lowering.zeroWeights(roundUp(outputs, 2) * inputs)
        : filters.product({ rows: outputs, inputs, taps: product.taps.map(offset), phases }),
      panel: lowering.scratch(panelBytes(lowering, inputs * taps)),
    });
    lowering.count(inputs * outputs * count * product.taps.length * pixels);
  }
}

/** A transposed convolution: each phase of its stride, the pixels that the same taps reach, is a convolution of its own. */
export function lowerTransposed(
  lowering: Lowering,
  input: View,
  { connection, stencil, to, precision }: { connection: Connection; stencil: Stencil; to: Tiles; precision: Precision },
  { owner, factors, record }: Finish,
  { place, accumulate }: Destination,
): void {
  const { access, groups, inputs, outputs, start } = connection;
  for (let group = 0; group < groups; group++) {
    const first = start + group * outputs;
    const own = { owner, access: ofGroup(access, group) };
    const ownFactors = factors.subarray(first, first + outputs);
    lowerTransposedWith(
      lowering,
      lowering.slice(input, group * inputs, (group + 1) * inputs),
      { stencil, to, outputs, tapRow: access.row, tapColumn: access.column, precision },
      {
        product: (source) => packedProduct(lowering, own, source, ownFactors),
        strassen: (phases) => strassenWeights(lowering, own, { inner: inputs, outputs, phases }, ownFactors),
      },
      record.plus(first * EPILOGUE_BYTES),
      { place: place.plus(first * to.channelStride), accumulate },
    );
  }
}
