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

/** A 1x1 convolution, its channels and where its outputs go. */
interface Pointwise {
  readonly input: View;
  readonly outputs: number;
  readonly owner: string;
  readonly access: FilterAccess;
  readonly factors: Float64Array;
  readonly out: Place;
  readonly epilogue: Place;
  readonly accumulate: boolean;
}

/** The planes of a map as the products read them. */
const planesOf = ({ first, tile, planeStride, length, channelStride }: Tiles) => ({
  start: first,
  planes: tile ** 2,
  planeStride,
  length,
  outChannel: channelStride,
});

function lowerByStrassen(
  lowering: Lowering,
  { input, outputs, owner, access, factors, out, epilogue, accumulate }: Pointwise,
): void {
  const { tiles, channels: inner } = input;
  const size = { inner, outputs, phases: 1 };
  const common = {
    channels: lowering.addresses(input),
    out,
    weights: strassenWeights(lowering, { owner, access }, { inner, outputs, phases: [0] }, factors),
    epilogue,
    ...strassenOperands(lowering, size),
    accumulate: accumulate ? 1 : 0,
  };
  if (prefersList(lowering, tiles)) {
    const places = pixelList(lowering, tiles);
    const pixels = roundUp(pixelCount(tiles), lowering.wide);
    lowering.program.call('gatherStrassen', {
      ...common,
      outChannel: tiles.channelStride,
      inputs: inner,
      from: places,
      listLength: pixels,
      pixels,
      to: places,
      phases: 1,
    });
    lowering.count(strassenMacs(lowering, { ...size, pixels }));
    return;
  }
  lowering.program.call('strassen', { ...common, ...planesOf(tiles), inner });
  lowering.count(tiles.tile ** 2 * strassenMacs(lowering, { ...size, pixels: tiles.length }));
}

function lowerPlain(
  lowering: Lowering,
  { input, outputs, owner, access, factors, out, epilogue, accumulate }: Pointwise,
): void {
  const { tiles, channels: inner } = input;
  const weights = packedProduct(
    lowering,
    { owner, access },
    { first: 0, rows: outputs, inputs: inner, taps: [0], phases: [], factors },
  );
  const common = {
    channels: lowering.addresses(input),
    out,
    weights,
    epilogue,
    accumulate: accumulate ? 1 : 0,
  };
  if (prefersList(lowering, tiles)) {
    const places = pixelList(lowering, tiles);
    const pixels = roundUp(pixelCount(tiles), lowering.wide);
    lowering.program.call('gatherGemm', {
      ...common,
      outChannel: tiles.channelStride,
      inputs: inner,
      from: places,
      taps: 1,
      listLength: pixels,
      pixels,
      to: places,
      phases: 1,
      rows: outputs,
      panel: lowering.scratch(panelBytes(lowering, inner)),
    });
    lowering.count(inner * outputs * pixels);
    return;
  }
  lowering.program.call('gemm', {
    ...common,
    ...planesOf(tiles),
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
    input,
    outputs,
    owner,
    access,
    factors: factors.subarray(start, start + outputs),
    out: place.plus(start * tiles.channelStride),
    epilogue: record.plus(start * EPILOGUE_BYTES),
    accumulate,
  });
}
