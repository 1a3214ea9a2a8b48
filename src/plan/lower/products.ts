/** Convolutions as matrix products: 1x1 on whole planes, all others over lists of places. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { EPILOGUE_BYTES, type Epilogue } from '../graph/epilogue.js';
import type { ConvLevel, ConvOp, TransposedOp } from '../graph/types.js';
import { Buffer, type Place } from '../program.js';
import { pixelsInOrder, placeOf, roundUp, type Tiles } from '../tiles.js';
import type { Lowering, View } from './context.js';

/** Zeros stand here in every channel whose margins are zero. */
const ZERO_PLACE = 0;

/** An output map and the slice of its channels that a product writes. */
export interface Target {
  readonly tiles: Tiles;
  readonly place: Place;
}

/** Which weight of a layer is meant, for keys. */
export interface Filters {
  readonly name: string;
  readonly epilogue: Epilogue;
}

export function epilogueRecord(lowering: Lowering, { name, epilogue }: Filters): Place {
  return lowering.weights.constant(`${name} epilogue`, () => epilogue.record());
}

/** Bytes of the panel into which the rows of a product are copied. */
function panelBytes(lowering: Lowering, inner: number, panels: number): number {
  return 4 * inner * lowering.wide * panels + 256;
}

const pairs = (rows: number): number => 2 * Math.ceil(rows / 2);

/** Whether a 1x1 convolution is faster over a list of pixels: the padding of small maps costs more than the gathering. */
function prefersList(lowering: Lowering, tiles: Tiles): boolean {
  const { wide } = lowering;
  const whole = tiles.tile ** 2 * roundUp(tiles.length, wide);
  return 1.2 * roundUp(tiles.height * tiles.width, wide) < whole;
}

/** A list of places, filled up to whole register tiles with its last. */
function list(lowering: Lowering, key: string, places: () => number[][]): Place {
  return lowering.table(`${key} ${lowering.wide}`, () => {
    const rows = places();
    return Int32Array.from(
      rows.flatMap((row) => {
        const last = row.at(-1) ?? ZERO_PLACE;
        return [...row, ...new Array<number>(roundUp(row.length, lowering.wide) - row.length).fill(last)];
      }),
    );
  });
}

const name = ({ height, width, tile }: Tiles): string => `${height}x${width}/${tile}`;

/** The pixels of a map in the order of memory. */
function pixelList(lowering: Lowering, tiles: Tiles): Place {
  return list(lowering, `pixels ${name(tiles)}`, () => [
    [...pixelsInOrder(tiles)].map(([y, x]) => placeOf(tiles, y, x)),
  ]);
}

/** Where a product finds its factors in a filter: bytes from one row, input and phase to the next, and of each tap. */
interface FilterLayout {
  readonly filter: tfl.LayerVariable;
  readonly row: number;
  readonly input: number;
  readonly taps: readonly number[];
  /** Rows that belong to one output channel, bytes apart. */
  readonly phases: number;
  readonly phase: number;
}

/** The filters of the output channels `start` to `end`, in the order of the products. */
function packedProduct(
  lowering: Lowering,
  { name: layer, epilogue }: Filters,
  layout: FilterLayout,
  { start, end, inputs, key }: { start: number; end: number; inputs: number; key: string },
): Place {
  const rows = (end - start) * layout.phases;
  return lowering.weights.packed(
    `${layer} ${key} ${start}`,
    4 * pairs(rows) * inputs * layout.taps.length,
    { filter: layout.filter, factors: epilogue.factors.subarray(start, end) },
    (program, places) => {
      program.call('packGemm', {
        filter: places.filter,
        tapPlaces: new Buffer(4 * layout.taps.length, 'arena', Int32Array.from(layout.taps)).at(),
        inputStride: layout.input,
        taps: layout.taps.length,
        inputs,
        rowStride: layout.row,
        phaseStride: layout.phase,
        phases: layout.phases,
        rows,
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
  level: ConvLevel,
  filters: Filters,
  target: Target,
  accumulate = false,
): void {
  const { tiles } = target;
  const outputs = level.end - level.start;
  const inner = input.channels;
  const weights = packedProduct(
    lowering,
    filters,
    { filter: level.filter, row: 4, input: 4 * outputs, taps: [0], phases: 1, phase: 0 },
    { start: level.start, end: level.end, inputs: inner, key: 'product' },
  );
  const common = {
    channels: lowering.addresses(input),
    out: target.place.plus(level.start * tiles.channelStride),
    outChannel: tiles.channelStride,
    weights,
    epilogue: epilogueRecord(lowering, filters).plus(level.start * EPILOGUE_BYTES),
    accumulate: accumulate ? 1 : 0,
  };
  if (prefersList(lowering, tiles)) {
    const pixels = tiles.height * tiles.width;
    const places = pixelList(lowering, tiles);
    lowering.program.call('gatherGemm', {
      ...common,
      inputs: inner,
      from: places,
      taps: 1,
      pixels: roundUp(pixels, lowering.wide),
      to: places,
      phases: 1,
      rows: outputs,
      panel: lowering.scratch(panelBytes(lowering, inner, 1)),
    });
    lowering.program.endStep(filters.name, '1x1', inner * outputs * roundUp(pixels, lowering.wide));
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
  lowering.program.endStep(filters.name, '1x1', inner * outputs * tiles.tile ** 2 * tiles.length);
}

/** Where a convolution reads: for each tap and output pixel the place, or the zero place outside of the map. */
function convolutionList(lowering: Lowering, op: ConvOp, level: ConvLevel, from: Tiles, to: Tiles): Place {
  const [kh, kw] = level.kernelSize;
  const { top, left } = level.padding;
  const key = `conv ${name(from)} ${name(to)} ${kh}x${kw} ${op.strides} ${op.dilations} ${top},${left}`;
  return list(lowering, key, () => {
    const pixels = [...pixelsInOrder(to)];
    const rows: number[][] = [];
    for (let ky = 0; ky < kh; ky++) {
      for (let kx = 0; kx < kw; kx++) {
        rows.push(
          pixels.map(([oy, ox]) => {
            const y = oy * op.strides[0] + ky * op.dilations[0] - top;
            const x = ox * op.strides[1] + kx * op.dilations[1] - left;
            const isInside = y >= 0 && x >= 0 && y < from.height && x < from.width;
            return isInside ? placeOf(from, y, x) : ZERO_PLACE;
          }),
        );
      }
    }
    return rows;
  });
}

/** A direct convolution of any kernel, stride, dilation and padding. */
export function lowerDirect(
  lowering: Lowering,
  input: View,
  { op, level, filters, target }: { op: ConvOp; level: ConvLevel; filters: Filters; target: Target },
): void {
  const { tiles } = target;
  const outputs = level.end - level.start;
  const perGroup = outputs / level.groups;
  const inputs = input.channels / level.groups;
  const [kh, kw] = level.kernelSize;
  const from = convolutionList(lowering, op, level, input.tiles, tiles);
  const to = pixelList(lowering, tiles);
  const pixels = roundUp(tiles.height * tiles.width, lowering.wide);
  const record = epilogueRecord(lowering, filters);
  const panel = lowering.scratch(panelBytes(lowering, inputs * kh * kw, 1));
  for (let group = 0; group < level.groups; group++) {
    const start = level.start + group * perGroup;
    const taps = Array.from({ length: kh * kw }, (_, tap) => 4 * (tap * inputs * outputs + group * perGroup));
    const weights = packedProduct(
      lowering,
      filters,
      { filter: level.filter, row: 4, input: 4 * outputs, taps, phases: 1, phase: 0 },
      { start, end: start + perGroup, inputs, key: 'product' },
    );
    lowering.program.call('gatherGemm', {
      channels: lowering.addresses(input, group * inputs, (group + 1) * inputs),
      inputs,
      from,
      taps: kh * kw,
      pixels,
      out: target.place.plus(start * tiles.channelStride),
      outChannel: tiles.channelStride,
      to,
      phases: 1,
      rows: perGroup,
      weights,
      epilogue: record.plus(start * EPILOGUE_BYTES),
      panel,
      accumulate: 0,
    });
  }
  lowering.program.endStep(filters.name, `direct ${kh}x${kw}`, inputs * outputs * kh * kw * pixels);
}

/** The taps of a transposed convolution that reach the pixels of one phase of the output. */
interface Phase {
  /** Indices of taps, [row, column]. */
  readonly taps: readonly (readonly [number, number])[];
  readonly pixels: readonly (readonly [number, number])[];
}

function phasesOf({ kernelSize, strides, shift }: TransposedOp, to: Tiles): Phase[] {
  const axisTaps = (axis: 0 | 1, phase: number): number[] => {
    const first = (phase + shift[axis]) % strides[axis];
    const taps: number[] = [];
    for (let k = first; k < kernelSize[axis]; k += strides[axis]) taps.push(k);
    return taps;
  };
  const phases: Phase[] = [];
  const all = [...pixelsInOrder(to)];
  for (let py = 0; py < strides[0]; py++) {
    for (let px = 0; px < strides[1]; px++) {
      const rows = axisTaps(0, py);
      const columns = axisTaps(1, px);
      phases.push({
        taps: rows.flatMap((ky) => columns.map((kx): readonly [number, number] => [ky, kx])),
        pixels: all.filter(([y, x]) => y % strides[0] === py && x % strides[1] === px),
      });
    }
  }
  return phases;
}

/** A transposed convolution: each phase of its stride, the pixels that the same taps reach, is a convolution of its own. */
export function lowerTransposed(
  lowering: Lowering,
  input: View,
  { op, filters, target }: { op: TransposedOp; filters: Filters; target: Target },
): void {
  const { tiles } = target;
  const outputs = filters.epilogue.channels;
  const inputs = input.channels;
  const layout = { filter: op.filter, row: 4 * inputs, input: 4 };
  const tapBytes = 4 * outputs * inputs;
  const key = `transposed ${name(input.tiles)} ${name(tiles)} ${op.kernelSize} ${op.strides} ${op.shift}`;
  const phases = phasesOf(op, tiles).filter(({ taps, pixels }) => taps.length > 0 && pixels.length > 0);
  const places = phases.map(({ pixels }) => pixels.map(([y, x]) => placeOf(tiles, y, x)));
  const sources = phases.map(({ taps, pixels }) =>
    taps.map(([ky, kx]) =>
      pixels.map(([oy, ox]) => {
        const y = (oy + op.shift[0] - ky) / op.strides[0];
        const x = (ox + op.shift[1] - kx) / op.strides[1];
        const isInside = y >= 0 && x >= 0 && y < input.tiles.height && x < input.tiles.width;
        return isInside ? placeOf(input.tiles, y, x) : ZERO_PLACE;
      }),
    ),
  );
  const product = (from: number[][], to: number[][], { weights, part }: { weights: Place; part: number | 'all' }) => {
    const pixels = from[0]?.length ?? 0;
    lowering.program.call('gatherGemm', {
      channels: lowering.addresses(input),
      inputs,
      from: list(lowering, `${key} from ${part}`, () => from),
      taps: from.length,
      pixels: roundUp(pixels, lowering.wide),
      out: target.place,
      outChannel: tiles.channelStride,
      to: list(lowering, `${key} to ${part}`, () => to),
      phases: to.length,
      rows: outputs * to.length,
      weights,
      epilogue: epilogueRecord(lowering, filters),
      panel: lowering.scratch(panelBytes(lowering, inputs * from.length, 1)),
      accumulate: 0,
    });
  };
  // Where every pixel of the input reaches each phase through one tap, its gathered values serve them all.
  const [first] = sources;
  const isTiling = first !== undefined && sources.every((taps) => String(taps) === String(first));
  if (isTiling && first.length === 1) {
    const weights = packedProduct(
      lowering,
      filters,
      { ...layout, taps: [0], phases: phases.length, phase: tapBytes },
      { start: 0, end: outputs, inputs, key: 'tiling' },
    );
    product(first, places, { weights, part: 'all' });
  } else {
    for (const [i, { taps }] of phases.entries()) {
      const tapPlaces = taps.map(([ky, kx]) => tapBytes * (ky * op.kernelSize[1] + kx));
      const weights = packedProduct(
        lowering,
        filters,
        { ...layout, taps: tapPlaces, phases: 1, phase: 0 },
        { start: 0, end: outputs, inputs, key: `phase ${i}` },
      );
      product(sources[i] ?? [], places.slice(i, i + 1), { weights, part: i });
    }
  }
  const products = op.kernelSize[0] * op.kernelSize[1] * input.tiles.height * input.tiles.width;
  lowering.program.endStep(filters.name, 'transposed', inputs * outputs * products);
}
