/**
 * Convolutions of stride 1 by nested Winograd: a k x k kernel is a square of 3x3 sections; with tiles of 3x3 pixels one transform of the
 * input serves all sections and every level whose windows start alike, and each component is a sum over (input, section).
 */
import type { Lowering, View } from './context.js';
import type { Stencil } from './direct.js';
import type { Connection, Destination, Finish } from './filters.js';
import { isSharedByOutputs, lowerByOutputs } from './nestedByOutputs.js';
import { outputsOf, PassCalls } from './nestedCalls.js';
import { prepareLevel } from './nestedFilters.js';
import { bandsOf, nestedPasses, type Pass, scratchOf } from './nestedPass.js';

/** Largest kernel whose sections stay within a map's margins. */
const LARGEST_KERNEL = 13;

/** Whether a convolution can be computed here. */
export function isNestable(
  { kernelSize: [kh, kw], strides, dilations, before }: Stencil,
  tile: 3 | 4,
  sameSize: boolean,
): boolean {
  const half = (kh - 1) / 2;
  return (
    sameSize &&
    kh === kw &&
    kh >= 3 &&
    kh % 2 === 1 &&
    kh <= (tile === 3 ? LARGEST_KERNEL : 3) &&
    [...strides, ...dilations].every((n) => n === 1) &&
    before.every((n) => n === half)
  );
}

/** Lowers the levels of one pass, which threads share by bands of rows. */
function lowerByBands(lowering: Lowering, input: View, pass: Pass, finish: Finish, destination: Destination): void {
  const { tiles, channels } = input;
  const { chunk, bandRows } = pass;
  const levels = pass.levels.map((level) => prepareLevel(lowering, tiles, level, { pass, layout: pass, finish }));
  lowering.share(bandsOf(tiles, bandRows), (bands) => {
    const scratch = scratchOf(lowering, tiles, pass);
    const calls = new PassCalls(lowering, input, { pass, scratch, record: finish.record, destination });
    const sums = levels.map((level) => calls.sumsOf(outputsOf(level)));
    for (const { sample, t0 } of bands) {
      const band = calls.band(sample, t0, Math.min(bandRows, tiles.tileRows - t0));
      for (let c0 = 0; c0 < channels; c0 += chunk) {
        calls.transform(band, c0, chunk, scratch.components);
        for (const [index, level] of levels.entries()) {
          const place = sums[index];
          if (place === undefined) continue;
          const { inputs, outputs, part, block } = level;
          for (let i0 = c0; i0 < c0 + chunk; i0 += part) {
            const group = Math.floor(i0 / inputs);
            const firstInput = i0 - group * inputs;
            const components = scratch.components.plus((i0 - c0) * scratch.channelStride);
            for (let o0 = 0; o0 < outputs; o0 += block) {
              const unit = { group, block: o0, from: 0, to: Math.min(block, outputs - o0) };
              calls.products(band, level, unit, { firstInput, components, sums: place });
              if (firstInput + part === inputs) calls.inverse(band, level, unit, place);
            }
          }
        }
      }
    }
  });
}

/** Computes connections of one input to one target. */
export function lowerNested(
  lowering: Lowering,
  input: View,
  connections: readonly Connection[],
  finish: Finish,
  destination: Destination,
): void {
  for (const pass of nestedPasses(lowering, input, connections, lowering.threads)) {
    const lower = isSharedByOutputs(lowering, input, pass) ? lowerByOutputs : lowerByBands;
    lower(lowering, input, pass, finish, destination);
  }
}
