/**
 * Small maps have too few rows for bands: a band of a few tiles fills no register tile, and some threads get one more than others. There the
 * threads share out the channels of the transform, and then the outputs. Each sum is taken in the same order as by bands.
 */
import type { Place } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import type { Lowering, View } from './context.js';
import type { Destination, Finish } from './filters.js';
import { outputsOf, PassCalls, type Unit } from './nestedCalls.js';
import { blockOf, prepareLevel } from './nestedFilters.js';
import { bandsOf, computedPlaces, type Pass, scratchOf } from './nestedPass.js';
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

/** Whether the slowest thread is done earlier if outputs are shared out than if bands are. */
export function isSharedByOutputs(lowering: Lowering, input: View, pass: Pass): boolean {
  const { threads } = lowering;
  const { tiles, channels } = input;
  if (threads === 1 || channels < threads) return false;
  const byBands = computedPlaces(tiles, pass.bandRows, lowering.machine);
  const whole = roundUp(tiles.tileRows * tiles.pitch, lowering.wide);
  const bytes = 4 * pass.points ** 2 * channels * whole;
  if (bytes > MOST_BYTES) return false;
  const loads = sharedOut(pass, tiles, threads).map(productsOfAll);
  const largestShare = Math.max(...loads) / loads.reduce((sum, load) => sum + load, 0);
  return EXTRA_TIME * tiles.batch * whole * largestShare < byBands;
}

/** One piece of work: outputs of a level. */
interface Piece extends Unit {
  /** Of the pass. */
  readonly level: number;
  readonly products: number;
}

const productsOfAll = (pieces: readonly Piece[]): number => pieces.reduce((sum, { products }) => sum + products, 0);

function piecesOf({ levels, chunk }: Pass, { tile }: Tiles): Piece[] {
  const pieces: Piece[] = [];
  for (const [index, level] of levels.entries()) {
    const { groups, inputs, outputs, sections } = level;
    const size = blockOf(level, chunk);
    const perOutput = productsOf(sections, tile) * inputs;
    for (let group = 0; group < groups; group++) {
      for (let block = 0; block < outputs; block += size) {
        const count = Math.min(size, outputs - block);
        for (let from = 0; from < count; from += OUTPUTS) {
          const to = Math.min(from + OUTPUTS, count);
          pieces.push({ level: index, group, block, from, to, products: perOutput * (to - from) });
        }
      }
    }
  }
  return pieces;
}

/** The largest pieces first, each to the thread that has least to do. */
function sharedOut(pass: Pass, tiles: Tiles, threads: number): Piece[][] {
  const tasks = Array.from({ length: threads }, (): { pieces: Piece[]; products: number } => ({
    pieces: [],
    products: 0,
  }));
  for (const piece of piecesOf(pass, tiles).sort((a, b) => b.products - a.products)) {
    const task = tasks.reduce((least, other) => (other.products < least.products ? other : least));
    task.pieces.push(piece);
    task.products += piece.products;
  }
  return tasks.map(({ pieces }) => pieces);
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
  const tasks = sharedOut(pass, tiles, lowering.threads);
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
        for (const unit of pieces) {
          const level = levels[unit.level];
          if (level === undefined) throw new Error('A piece of work has no level.');
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
