/**
 * Small maps have too few rows for bands: a band of a few tiles fills no register tile, and some threads get one more than others. There the
 * threads share out the channels of the transform, and then the outputs. Each sum is taken in the same order as by bands.
 */
import type { Place } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import type { Lowering, View } from './context.js';
import type { Destination, Finish } from './filters.js';
import { outputsOf, PassCalls, type Unit } from './nestedCalls.js';
import { type PreparedLevel, prepareLevel } from './nestedFilters.js';
import { bandsOf, type Pass, scratchOf } from './nestedPass.js';
import { productsOf } from './sections.js';

/** Outputs of a block that are computed together: enough for components to be read from the first cache. */
const OUTPUTS = 16;
/** The components of a whole map must stay in the third cache. */
const MOST_BYTES = 2 ** 24;
/** Components are written by one thread and read by others. */
const EXTRA_TIME = 1.25;

/** All channels and all rows at once. */
const wholePass = (pass: Pass, { tiles, channels }: View): Pass => ({
  ...pass,
  chunk: channels,
  bandRows: tiles.tileRows,
});

/** Tiles of a band as they are computed. */
const columns = ({ wide }: Lowering, { pitch }: Tiles, rows: number): number => roundUp(rows * pitch, wide);

/** What the slowest thread has to do of all products. */
function largestShare({ levels }: Pass, { tile }: Tiles, threads: number): number {
  const pieces = levels.flatMap(({ groups, inputs, outputs, sections }) =>
    Array.from({ length: groups * Math.ceil(outputs / OUTPUTS) }, (_, i) => {
      const from = OUTPUTS * (i % Math.ceil(outputs / OUTPUTS));
      return { products: productsOf(sections, tile) * inputs * Math.min(OUTPUTS, outputs - from) };
    }),
  );
  const loads = sharedOut(pieces, threads).map((own) => own.reduce((sum, { products }) => sum + products, 0));
  return Math.max(...loads) / loads.reduce((sum, load) => sum + load, 0);
}

/** Whether the slowest thread is done earlier if outputs are shared out than if bands are. */
export function isSharedByOutputs(lowering: Lowering, input: View, pass: Pass): boolean {
  const { threads } = lowering;
  const { tiles, channels } = input;
  if (threads === 1 || channels < threads) return false;
  const bands = bandsOf(tiles, pass.bandRows).length;
  const byBands = Math.ceil(bands / threads) * columns(lowering, tiles, pass.bandRows);
  const whole = columns(lowering, tiles, tiles.tileRows);
  const bytes = 4 * pass.points ** 2 * channels * whole;
  return bytes <= MOST_BYTES && EXTRA_TIME * tiles.batch * whole * largestShare(pass, tiles, threads) < byBands;
}

/** One piece of work: outputs of a level. */
interface Piece extends Unit {
  readonly level: PreparedLevel;
  readonly products: number;
}

function piecesOf(level: PreparedLevel): Piece[] {
  const { groups, inputs, outputs, block, lists } = level;
  const pieces: Piece[] = [];
  for (let group = 0; group < groups; group++) {
    for (let first = 0; first < outputs; first += block) {
      const count = Math.min(block, outputs - first);
      for (let from = 0; from < count; from += OUTPUTS) {
        const to = Math.min(from + OUTPUTS, count);
        pieces.push({
          level,
          group,
          block: first,
          from,
          to,
          products: lists.products * (inputs / level.part) * (to - from),
        });
      }
    }
  }
  return pieces;
}

/** The largest pieces first, each to the thread that has least to do. */
function sharedOut<T extends { readonly products: number }>(pieces: readonly T[], threads: number): T[][] {
  const tasks = Array.from({ length: threads }, (): { pieces: T[]; products: number } => ({ pieces: [], products: 0 }));
  for (const piece of [...pieces].sort((a, b) => b.products - a.products)) {
    const task = tasks.reduce((least, other) => (other.products < least.products ? other : least));
    task.pieces.push(piece);
    task.products += piece.products;
  }
  return tasks.map((task) => task.pieces);
}

/** Lowers the levels of one pass, which threads share by outputs. */
export function lowerByOutputs(
  lowering: Lowering,
  input: View,
  pass: Pass,
  finish: Finish,
  destination: Destination,
): void {
  const { tiles, channels } = input;
  const layout = wholePass(pass, input);
  const levels = pass.levels.map((level) => prepareLevel(lowering, tiles, level, { pass, layout, finish }));
  const tasks = sharedOut(levels.flatMap(piecesOf), lowering.threads);
  const all = Array.from({ length: channels }, (_, c) => c);
  const scratch = scratchOf(lowering, tiles, layout);
  const callsWith = (rows: Place) =>
    new PassCalls(lowering, input, { pass: layout, scratch: { ...scratch, rows }, record: finish.record, destination });
  for (const { sample } of bandsOf(tiles, tiles.tileRows)) {
    lowering.share(all, (own) => {
      const calls = callsWith(scratchOf(lowering, tiles, layout).rows);
      const [first = 0] = own;
      const components = scratch.components.plus(first * scratch.channelStride);
      calls.transform(calls.band(sample, 0, tiles.tileRows), first, own.length, components);
    });
    lowering.program.fork(
      tasks.map((pieces) => () => {
        const calls = callsWith(scratch.rows);
        const band = calls.band(sample, 0, tiles.tileRows);
        const sums = calls.sumsOf(Math.min(OUTPUTS, Math.max(...levels.map(outputsOf))));
        for (const { level, ...unit } of pieces) {
          const { inputs, part } = level;
          for (let firstInput = 0; firstInput < inputs; firstInput += part) {
            const components = scratch.components.plus((unit.group * inputs + firstInput) * scratch.channelStride);
            calls.products(band, level, unit, { firstInput, components, sums });
          }
          calls.inverse(band, level, unit, sums);
        }
      }),
    );
  }
}
