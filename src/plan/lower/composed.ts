/** The transposed convolution of a decoder composed with the 1x1 convolution behind it. */

import type { Epilogue } from '../../engine/epilogue.js';
import type { Lowering, View } from '../../engine/lower/context.js';
import { type Connection, type Destination, forwardConnection } from '../../engine/lower/filters.js';
import { packProduct, planePanelBytes } from '../../engine/lower/packedProduct.js';
import { lowerPointwise } from '../../engine/lower/pointwise.js';
import { packStrassen, strassenBytes } from '../../engine/lower/strassen.js';
import { lowerTransposedWith, transposedStencil } from '../../engine/lower/transposed.js';
import { Buffer, type Place, type Program, Run } from '../../engine/program.js';
import { roundUp, type Tiles } from '../../engine/tiles.js';
import type { Precision, Weight } from '../../engine/types.js';
import type { ComposedPlaces, FixedWeights } from '../../engine/weights.js';
import type { ComposedOp } from '../graph/types.js';

/** The 1x1 convolution's share of the transposed convolution's bias, before the factors. */
export function composedBias(
  { transposed: { bias }, conv, channels, start }: ComposedOp,
  outputs: number,
  weights: FixedWeights,
): Float64Array {
  const sums = new Float64Array(outputs);
  const [level] = conv.levels;
  if (bias === null || level === undefined) return sums;
  const values = weights.read(bias);
  const filter = weights.read(level.filter);
  for (let m = 0; m < channels; m++) {
    for (let n = 0; n < outputs; n++)
      sums[n] = (sums[n] ?? 0) + (values[m] ?? 0) * (filter[(start + m) * outputs + n] ?? 0);
  }
  return sums;
}

/** The channels before the transposed convolution's map and those behind it, where there are any, among so many beside it. */
export const runsBeside = ({ start }: ComposedOp, channels: number): { first: number; count: number }[] =>
  [
    { first: 0, count: start },
    { first: start, count: channels - start },
  ].filter(({ count }) => count > 0);

/** Lowers both: the first writes partial sums, the second adds its own and finishes them. */
export function lowerComposed(
  lowering: Lowering,
  weights: FixedWeights,
  {
    op,
    inputs,
    to,
    epilogue,
    owner,
    precision,
  }: {
    op: ComposedOp;
    inputs: readonly View[];
    to: Tiles;
    epilogue: Epilogue;
    owner: string;
    precision: Precision;
  },
  { record, none }: { record: Place; none: Place },
  place: Place,
): void {
  const { transposed, conv, channels, start } = op;
  const [input, ...rest] = inputs;
  const [level] = conv.levels;
  if (input === undefined || level === undefined) throw new Error(`Layer ${owner} has no input.`);
  const outputs = epilogue.channels;
  const [kh, kw] = transposed.kernelSize;
  const taps = kh * kw;
  const inner = input.channels;
  // Rows of the product are filled up to whole register tiles.
  const row = 4 * roundUp(inner, lowering.wide);
  /** filter[tap][output][input] = sum over the map between of both filters. */
  const compose = (program: Program, places: ComposedPlaces): void => {
    const packed = new Buffer(4 * 2 * Math.ceil(outputs / 2) * channels + 64, 'arena').at();
    packProduct(
      program,
      places,
      { base: 4 * start * outputs, input: 4 * outputs, output: 4 },
      { rows: outputs, inputs: channels, taps: [0], phases: [] },
      packed,
    );
    const rows = new Buffer(4 * taps * channels, 'arena', [new Run(places.second, taps * channels, 4 * inner)]).at();
    const panel = new Buffer(planePanelBytes(lowering, channels), 'arena').at();
    const spill = new Buffer(512, 'arena').at();
    // Few inputs a call: an engine's faster code for the kernel takes over between calls, and this is the first that runs it.
    const part = 4 * lowering.wide;
    for (let tap = 0; tap < taps; tap++) {
      for (let from = 0; from < inner; from += part) {
        program.call('gemm', {
          channels: rows.plus(4 * tap * channels),
          start: 4 * from,
          planes: 1,
          planeStride: 0,
          length: Math.min(part, inner - from),
          out: places.weights.plus(tap * outputs * row),
          outChannel: row,
          inner: channels,
          outputs,
          weights: packed,
          epilogue: none,
          panel,
          spill,
          accumulate: 0,
        });
      }
    }
  };
  const filters: readonly [Weight, Weight] = [level.filter, transposed.filter];
  // Kept beside what is packed of it: maps of another size may need it in another order.
  const filter = weights.composed(
    `${owner} composed`,
    taps * outputs * row + 512,
    filters,
    epilogue.factors,
    compose,
  ).buffer;
  const access = { base: 0, input: 4, output: row };
  lowerTransposedWith(
    lowering,
    input,
    {
      stencil: transposedStencil(transposed),
      to,
      outputs,
      tapRow: kw * outputs * row,
      tapColumn: outputs * row,
      precision,
    },
    {
      product: (source) =>
        weights.repacked(
          `${owner} composed ${source.taps} ${source.phases}`,
          4 * 2 * Math.ceil((outputs * Math.max(1, source.phases.length)) / 2) * inner * source.taps.length,
          filter,
          outputs,
          (program, places) => packProduct(program, places, access, source, places.weights),
        ),
      strassen: (phases) => {
        const size = { inner, outputs, phases };
        return weights.repacked(`${owner} composed strassen`, strassenBytes(size), filter, outputs, (program, places) =>
          packStrassen(program, size, places.weights, (tap, product) =>
            packProduct(program, places, access, { rows: outputs, inputs: inner, taps: [tap], phases: [] }, product),
          ),
        );
      },
    },
    none,
    { place, accumulate: false },
  );
  const others: View = {
    tiles: to,
    channels: rest.reduce((sum, view) => sum + view.channels, 0),
    segments: rest.flatMap(({ segments }) => segments),
  };
  const whole = forwardConnection(level, others.channels + channels);
  // The inputs before the transposed convolution's map and those behind it lie apart in the filter.
  const destination: Destination = { place, accumulate: true };
  const parts = runsBeside(op, others.channels);
  for (const [i, { first, count }] of parts.entries()) {
    const base = first < start ? 0 : channels * whole.access.input;
    const connection: Connection = {
      ...whole,
      access: { ...whole.access, key: `beside ${first}`, base: first * whole.access.input + base },
      inputs: count,
    };
    lowerPointwise(
      lowering,
      lowering.slice(others, first, first + count),
      { connection, precision },
      { owner, factors: epilogue.factors, record: i === parts.length - 1 ? record : none },
      destination,
    );
  }
}
