/** 1x1 convolutions of stride 1 without groups, on whole planes or over a list of pixels. */
import { EPILOGUE_BYTES } from '../epilogue.js';
import type { Place } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import type { Precision } from '../types.js';
import type { Lowering, View } from './context.js';
import type { Connection, Destination, FilterAccess, Finish } from './filters.js';
import { packedProduct, panelBytes, planePanelBytes } from './packedProduct.js';
import { pixelCount, pixelList } from './places.js';
import { strassenMacs, strassenOperands, strassenWeights, suitsStrassen } from './strassen.js';

/** Whether a 1x1 convolution is faster over a list of pixels: the padding of small maps costs more than the gathering. */
export function prefersList(lowering: Lowering, tiles: Tiles): boolean {
  const { wide } = lowering;
  const whole = tiles.tile ** 2 * roundUp(tiles.length, wide);
  return 1.2 * roundUp(pixelCount(tiles), wide) < whole;
}

/** A 1x1 convolution, and the parameters that its kernels share. */
interface Pointwise {
  readonly tiles: Tiles;
  readonly inner: number;
  readonly outputs: number;
  readonly filter: { readonly owner: string; readonly access: FilterAccess };
  readonly factors: Float64Array;
  readonly common: {
    readonly channels: Place;
    readonly out: Place;
    readonly outChannel: number;
    readonly epilogue: Place;
    readonly accumulate: 0 | 1;
  };
}

/** The planes of a map as the products read and write them. */
const planesOf = ({ first, tile, planeStride, length }: Tiles) => ({
  start: first,
  planes: tile ** 2,
  planeStride,
  length,
});

/** The list of a map's pixels as the products read and write them. */
function listOf(lowering: Lowering, tiles: Tiles) {
  const places = pixelList(lowering, tiles);
  const pixels = roundUp(pixelCount(tiles), lowering.wide);
  return { from: places, to: places, listLength: pixels, pixels, phases: 1 };
}

function lowerByStrassen(lowering: Lowering, { tiles, inner, outputs, filter, factors, common }: Pointwise): void {
  const size = { inner, outputs, phases: 1 };
  const operands = {
    ...common,
    weights: strassenWeights(lowering, filter, { inner, outputs, phases: [0] }, factors),
    ...strassenOperands(lowering, size),
  };
  if (prefersList(lowering, tiles)) {
    const list = listOf(lowering, tiles);
    lowering.program.call('gatherStrassen', { ...operands, ...list, inputs: inner });
    lowering.count(strassenMacs(lowering, { ...size, pixels: list.pixels }));
    return;
  }
  const all = planesOf(tiles);
  // One thread takes a plane a call: engines compile faster code between calls. Several share out the pixels of all planes at once.
  const planes = lowering.threads === 1 ? 1 : all.planes;
  for (let plane = 0; plane < all.planes; plane += planes) {
    const start = all.start + plane * all.planeStride;
    lowering.program.call('strassen', { ...operands, ...all, start, planes, inner });
  }
  lowering.count(tiles.tile ** 2 * strassenMacs(lowering, { ...size, pixels: tiles.length }));
}

function lowerPlain(lowering: Lowering, { tiles, inner, outputs, filter, factors, common }: Pointwise): void {
  const weights = packedProduct(lowering, filter, { rows: outputs, inputs: inner, taps: [0], phases: [] }, factors);
  if (prefersList(lowering, tiles)) {
    const list = listOf(lowering, tiles);
    lowering.program.call('gatherGemm', {
      ...common,
      ...list,
      weights,
      inputs: inner,
      taps: 1,
      rows: outputs,
      panel: lowering.scratch(panelBytes(lowering, inner)),
    });
    lowering.count(inner * outputs * list.pixels);
    return;
  }
  lowering.program.call('gemm', {
    ...common,
    ...planesOf(tiles),
    weights,
    inner,
    outputs,
    panel: lowering.scratch(planePanelBytes(lowering, inner)),
    spill: lowering.scratch(512),
  });
  lowering.count(inner * outputs * tiles.tile ** 2 * tiles.length);
}

/**
 * Whether a 1x1 convolution adds up places of a plane: each with one a register tile further, be it a pixel or not. What stands
 * between the pixels has to be zeros then.
 */
export const readsPlanes = (
  lowering: Lowering,
  tiles: Tiles,
  { inner, outputs }: { readonly inner: number; readonly outputs: number },
  precision: Precision,
): boolean =>
  suitsStrassen(precision, { inner, outputs, phases: 1, pixels: pixelCount(tiles) }) && !prefersList(lowering, tiles);

/** A 1x1 convolution of stride 1 without groups. */
export function lowerPointwise(
  lowering: Lowering,
  input: View,
  { connection: { access, outputs, start }, precision }: { connection: Connection; precision: Precision },
  { owner, factors, record }: Finish,
  { place, accumulate }: Destination,
): void {
  const { tiles, channels: inner } = input;
  const lower = suitsStrassen(precision, { inner, outputs, phases: 1, pixels: pixelCount(tiles) })
    ? lowerByStrassen
    : lowerPlain;
  lower(lowering, {
    tiles,
    inner,
    outputs,
    filter: { owner, access },
    factors: factors.subarray(start, start + outputs),
    common: {
      channels: lowering.addresses(input),
      out: place.plus(start * tiles.channelStride),
      outChannel: tiles.channelStride,
      epilogue: record.plus(start * EPILOGUE_BYTES),
      accumulate: accumulate ? 1 : 0,
    },
  });
}
