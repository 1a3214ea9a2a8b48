/** The transposed convolution of a decoder composed with the 1x1 convolution behind it. */

import type { Epilogue } from '../../engine/epilogue.js';
import type { Lowering, View } from '../../engine/lower/context.js';
import { type Connection, type Destination, forwardConnection } from '../../engine/lower/filters.js';
import { planePanelBytes } from '../../engine/lower/packedProduct.js';
import { lowerPointwise } from '../../engine/lower/pointwise.js';
import { packStrassen, strassenBytes } from '../../engine/lower/strassen.js';
import { lowerTransposedWith, transposedStencil } from '../../engine/lower/transposed.js';
import { Buffer, type Place, type Program } from '../../engine/program.js';
import { roundUp, type Tiles } from '../../engine/tiles.js';
import type { Weight } from '../../engine/types.js';
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
  const values = weights.valuesOf(bias);
  const filter = weights.valuesOf(level.filter);
  for (let m = 0; m < channels; m++) {
    for (let n = 0; n < outputs; n++)
      sums[n] = (sums[n] ?? 0) + (values[m] ?? 0) * (filter[(start + m) * outputs + n] ?? 0);
  }
  return sums;
}

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
  }: {
    op: ComposedOp;
    inputs: readonly View[];
    to: Tiles;
    epilogue: Epilogue;
    owner: string;
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
  const compose = (program: Program, places: ComposedPlaces): Place => {
    const packed = new Buffer(4 * 2 * Math.ceil(outputs / 2) * channels + 64, 'arena').at();
    program.call('packGemm', {
      filter: places.filter.plus(4 * start * outputs),
      tapPlaces: places.table(Int32Array.of(0)),
      inputStride: 4 * outputs,
      taps: 1,
      inputs: channels,
      rowStride: 4,
      phaseStride: 0,
      phases: 1,
      rows: outputs,
      scale: places.scale,
      weights: packed,
    });
    const filter = new Buffer(taps * outputs * row + 512, 'arena').at();
    const words = Array.from({ length: taps * channels }, (_, i) => places.second.plus(4 * i * inner));
    const rows = new Buffer(4 * words.length, 'arena', words).at();
    for (let tap = 0; tap < taps; tap++) {
      program.call('gemm', {
        channels: rows.plus(4 * tap * channels),
        start: 0,
        planes: 1,
        planeStride: 0,
        length: inner,
        out: filter.plus(tap * outputs * row),
        outChannel: row,
        inner: channels,
        outputs,
        weights: packed,
        epilogue: none,
        panel: new Buffer(planePanelBytes(lowering, channels), 'arena').at(),
        spill: new Buffer(512, 'arena').at(),
        accumulate: 0,
      });
    }
    return filter;
  };
  /** Packs the composed filter, whose factors are in it already. */
  const pack = (
    program: Program,
    filter: Place,
    tapPlaces: Place,
    { taps, phases, phaseStride }: { taps: number; phases: number; phaseStride: number },
    weights: Place,
  ) => {
    program.call('packGemm', {
      filter,
      tapPlaces,
      inputStride: 4,
      taps,
      inputs: inner,
      rowStride: row,
      phaseStride,
      phases,
      rows: outputs * phases,
      scale: new Buffer(4 * roundUp(outputs, 4), 'arena', new Float32Array(roundUp(outputs, 4)).fill(1)).at(),
      weights,
    });
  };
  const filters: readonly [Weight, Weight] = [level.filter, transposed.filter];
  lowerTransposedWith(
    lowering,
    input,
    {
      stencil: transposedStencil(transposed),
      to,
      outputs,
      tapRow: kw * outputs * row,
      tapColumn: outputs * row,
      precision: 'fast',
    },
    {
      product: (source) =>
        weights.composed(
          `${owner} composed ${source.taps} ${source.phases}`,
          4 * 2 * Math.ceil((outputs * Math.max(1, source.phases.length)) / 2) * inner * source.taps.length,
          filters,
          epilogue.factors,
          (program, places) => {
            const [first = 0, second = first] = source.phases;
            const phases = Math.max(1, source.phases.length);
            const tapPlaces = places.table(Int32Array.from(source.taps));
            const size = { taps: source.taps.length, phases, phaseStride: second - first };
            pack(program, compose(program, places), tapPlaces, size, places.weights);
          },
        ),
      strassen: (phases) => {
        const size = { inner, outputs, phases };
        return weights.composed(
          `${owner} composed strassen`,
          strassenBytes(size),
          filters,
          epilogue.factors,
          (program, places) => {
            const filter = compose(program, places);
            packStrassen(program, size, places.weights, (tap, product) => {
              const tapPlaces = places.table(Int32Array.of(tap));
              pack(program, filter, tapPlaces, { taps: 1, phases: 1, phaseStride: 0 }, product);
            });
          },
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
  const parts = [
    { first: 0, count: start, base: 0 },
    { first: start, count: others.channels - start, base: channels * whole.access.input },
  ].filter(({ count }) => count > 0);
  for (const [i, { first, count, base }] of parts.entries()) {
    const connection: Connection = {
      ...whole,
      access: { ...whole.access, key: `beside ${first}`, base: first * whole.access.input + base },
      inputs: count,
    };
    lowerPointwise(
      lowering,
      lowering.slice(others, first, first + count),
      { connection, precision: 'fast' },
      { owner, factors: epilogue.factors, record: i === parts.length - 1 ? record : none },
      destination,
    );
  }
}
