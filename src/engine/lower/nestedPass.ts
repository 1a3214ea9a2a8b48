/** A pass of a nested convolution over its input: which levels share a transform, by how many channels and rows, and where components go. */
import type { Place } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import { type Lowering, type Machine, segmentsOf, sharesOf, type View } from './context.js';
import type { Connection } from './filters.js';
import { type NestedLevel, withSections } from './sections.js';

/** Geometry of one pass: all levels of one kind over bands of tile rows. */
export interface Pass {
  readonly points: 5 | 6;
  readonly levels: readonly NestedLevel[];
  /** Channels transformed at a time. */
  readonly chunk: number;
  readonly bandRows: number;
  /** Tiles above (and left of) a band that are transformed too, and below. */
  readonly above: number;
  readonly below: number;
}

/** Bytes of the components of a band that stay in the second cache beside the sums. */
const COMPONENT_BYTES = 460_000;
/** So many times as large a band is as fast, where less of it is computed in vain. */
const LARGEST_BAND = 2;
const CHUNK_SHARE = 8;
/** Sums of more outputs than this do not wait for further channels: all channels are transformed at once instead. */
const MOST_WAITING = 128;

const divides = (a: number, b: number): boolean => a % b === 0 || b % a === 0;

/** The largest number of channels up to `most` in which every group lies whole, or which lies in every group. */
function largestChunk(channels: number, levels: readonly NestedLevel[], most: number): number {
  for (let chunk = Math.floor(most); chunk > 1; chunk--) {
    if (channels % chunk === 0 && levels.every(({ inputs }) => divides(chunk, inputs))) return chunk;
  }
  return 1;
}

function chunkOf(channels: number, levels: readonly NestedLevel[]): number {
  // A group that is not much larger is taken whole: its sums need not wait.
  const groups = levels.map(({ inputs }) => inputs).filter((inputs) => inputs <= (2 * channels) / CHUNK_SHARE);
  return largestChunk(channels, levels, Math.max(4, channels / CHUNK_SHARE, ...groups));
}

/** The pass with chunks for all threads. */
export const withChunksFor = (pass: Pass, channels: number, threads: number): Pass => ({
  ...pass,
  chunk: largestChunk(channels, pass.levels, Math.min(pass.chunk, channels / threads)),
});

/** Whether a level can be computed by rows of tiles: one output in a group, whose sections share what they load. */
export const isRows = ({ outputs, sections }: NestedLevel, points: 5 | 6): boolean =>
  points === 5 && outputs === 1 && sections.count <= 3;

/** The bands of all images, by their first tile row. */
export function bandsOf({ batch, tileRows }: Tiles, bandRows: number): { sample: number; t0: number }[] {
  return Array.from({ length: batch }, (_, sample) =>
    Array.from({ length: Math.ceil(tileRows / bandRows) }, (_, band) => ({ sample, t0: band * bandRows })),
  ).flat();
}

/** Places of a plane that the products compute on the thread with the most of them: each band in whole register tiles. */
export function computedPlaces(tiles: Tiles, bandRows: number, { vectors, threads }: Machine): number {
  const { tileRows, pitch } = tiles;
  const places = bandsOf(tiles, bandRows).map(({ t0 }) =>
    roundUp(Math.min(bandRows, tileRows - t0) * pitch, 4 * vectors),
  );
  return Math.max(...sharesOf(places, threads).map((share) => share.reduce((sum, n) => sum + n, 0)));
}

function bandRowsOf(
  tiles: Tiles,
  { points, chunk, levels }: Pick<Pass, 'points' | 'chunk' | 'levels'>,
  machine: Machine,
): number {
  const { tileRows, pitch, batch } = tiles;
  // Every thread gets a band at least.
  const share = Math.ceil((tileRows * batch) / machine.threads);
  const rowBytes = 4 * points ** 2 * chunk * pitch;
  const most = (bytes: number) => Math.min(tileRows, share, Math.max(1, Math.floor(bytes / rowBytes)));
  const cached = most(COMPONENT_BYTES);
  const even = Math.ceil(tileRows / Math.ceil(tileRows / cached));
  if (levels.some((level) => isRows(level, points))) {
    // Groups of one output compute so many tile rows at once, needed or not.
    const step = machine.vectors === 6 ? 5 : 4;
    return most(LARGEST_BAND * COMPONENT_BYTES) < step ? even : Math.max(1, Math.floor(cached / step)) * step;
  }
  let best = even;
  const computed = (rows: number) => computedPlaces(tiles, rows, machine);
  for (let rows = best + 1; rows <= most(LARGEST_BAND * COMPONENT_BYTES); rows++) {
    if (computed(rows) < 0.99 * computed(best)) best = rows;
  }
  return best;
}

/** Strides of the buffers of a pass, in bytes. */
export interface Scratch {
  readonly components: Place;
  readonly componentStride: number;
  readonly channelStride: number;
  readonly sumComponent: number;
  readonly sumOutput: number;
  readonly rows: Place;
  readonly rowStride: number;
}

export function scratchOf(lowering: Lowering, tiles: Tiles, pass: Pass): Scratch {
  const { points, chunk, bandRows, above, below, levels } = pass;
  const reach = above + below;
  const spare = levels.some((level) => isRows(level, points)) ? 5 * tiles.pitch : 0;
  // Transforms write up to 11 places more. Products read further, into the next channel, for places that nobody reads.
  const columns = roundUp((bandRows + reach) * tiles.pitch + 16 + spare, 4);
  // Neighbouring channels do not fall on the same lines of the cache.
  const channel = (columns / 4) % 2 === 0 ? columns + 4 : columns;
  const component = chunk * channel + 20;
  const wide = roundUp(bandRows * tiles.pitch + 32 + spare, 4);
  const sum = wide % 64 === 0 ? wide + 4 : wide;
  const row = roundUp((bandRows + reach + 2) * tiles.pitch + 24, 4) + 4;
  return {
    components: lowering.scratch(4 * (points ** 2 * component + 4096)),
    componentStride: 4 * component,
    channelStride: 4 * channel,
    sumComponent: 4 * sum,
    sumOutput: 4 * points ** 2 * sum,
    rows: lowering.scratch(4 * (points * tiles.tile * row + 64)),
    rowStride: 4 * row,
  };
}

/** Transforms the channels of a chunk for one band. */
export function transformChunk(
  lowering: Lowering,
  input: View,
  { points, chunk }: Pick<Pass, 'points' | 'chunk'>,
  scratch: Scratch,
  { kind, start, length, c0 }: { kind: 0 | 1; start: number; length: number; c0: number },
): void {
  const { tiles } = input;
  let done = 0;
  for (const segment of segmentsOf(input, c0, c0 + chunk)) {
    const common = {
      input: segment.place.plus(start),
      inputChannel: tiles.channelStride,
      planeStride: tiles.planeStride,
      pitch: tiles.pitch,
      length,
      count: segment.channels,
      components: scratch.components.plus(done * scratch.channelStride),
      componentStride: scratch.componentStride,
      channelStride: scratch.channelStride,
      rows: scratch.rows,
      rowStride: scratch.rowStride,
    };
    if (points === 5) lowering.program.call('transform3', { ...common, kind });
    else lowering.program.call('transform4', common);
    done += segment.channels;
  }
}

/** The passes over an input: connections whose windows start alike share the transform of the input. */
export function nestedPasses(
  lowering: Lowering,
  { tiles, channels }: View,
  connections: readonly Connection[],
  /** Threads that share the bands. */
  threads: number,
): Pass[] {
  const points = tiles.tile === 3 ? 5 : 6;
  const isLarge = ({ outputs }: Connection) => outputs > MOST_WAITING || points === 6;
  const small = withSections(
    connections.filter((connection) => !isLarge(connection)),
    channels,
  );
  const passes: NestedLevel[][] = [
    ...connections.filter(isLarge).map((connection) => withSections([connection], channels)),
    ...([0, 1] as const).map((kind) => small.filter(({ sections }) => sections.kind === kind)),
  ].filter((pass) => pass.length > 0);
  return passes.map((members) => {
    const isAlone = members.some(isLarge);
    const chunk = isAlone ? (members[0]?.inputs ?? 1) : chunkOf(channels, members);
    // All channels at once are larger than the cache anyhow: bands as high as for 16, so that the filters are read few times.
    const size = isAlone ? Math.min(chunk, 16) : chunk;
    const { vectors } = lowering.machine;
    return {
      points,
      levels: members,
      chunk,
      bandRows: bandRowsOf(tiles, { points, chunk: size, levels: members }, { vectors, threads }),
      above: Math.max(...members.map(({ sections }) => sections.before)),
      below: Math.max(...members.map(({ sections }) => sections.count - 1 - sections.before)),
    };
  });
}
