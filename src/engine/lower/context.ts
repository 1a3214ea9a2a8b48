/** What the lowering of an operation works with: the program, the tables, the maps made so far. */

import { Buffer, type Place, type Program, Run } from '../program.js';
import { type Tiles, tilesOf } from '../tiles.js';
import type { MapShape } from '../types.js';
import type { Weights } from '../weights.js';

/** Some channels of a map, one behind the other. */
export interface Segment {
  readonly place: Place;
  readonly channels: number;
}

/** A map as it is read: several segments where it was concatenated. */
export interface View {
  readonly tiles: Tiles;
  readonly channels: number;
  readonly segments: readonly Segment[];
}

/** A map that is written, all its channels. */
export type Target = View & { readonly place: Place };

/** Channels of a map that lie one behind the other. */
export const targetAt = (tiles: Tiles, channels: number, place: Place): Target => ({
  tiles,
  channels,
  place,
  segments: [{ place, channels }],
});

/** Properties of the kernels that run the program. */
export interface Machine {
  /** Vectors of a register tile. */
  readonly vectors: number;
  readonly threads: number;
}

/** Bytes of a map that stay in the second cache while a few kernels pass over them. */
const CACHED_BYTES = 2 ** 18;

/** Room behind the last channel of a map for whole register tiles. */
const MAP_SLACK = 512;

/** Everything that one program is lowered with. */
export class Lowering {
  private readonly tables = new Map<string, Buffer>();
  private macs = 0;

  constructor(
    readonly program: Program,
    readonly weights: Weights,
    readonly machine: Machine,
    readonly tile: 3 | 4,
    readonly batch: number,
  ) {}

  /** Threads that the program is for. */
  get threads(): number {
    return this.machine.threads;
  }

  /** Shares out items among the threads, neighbours to one. */
  share<T>(items: readonly T[], write: (part: readonly T[]) => void): void {
    if (Math.min(this.threads, items.length) <= 1) {
      write(items);
      return;
    }
    const shares = sharesOf(items, this.threads);
    this.program.fork(shares.map((share) => () => write(share)));
  }

  /**
   * Lets several kernels pass over the channels of a view, few at a time, so that what one has written the next one finds in the cache.
   * Threads share the channels out: no kernel may read those of others.
   *
   * @param write Gets neighbouring channels that lie one behind the other, and the number of the first.
   */
  eachChannels(view: View, write: (part: Target, first: number) => void): void {
    const { tiles } = view;
    const cached = Math.floor(CACHED_BYTES / tiles.channelStride);
    const most = Math.max(1, Math.min(cached, Math.ceil(view.channels / this.threads)));
    const parts: { part: Target; first: number }[] = [];
    let first = 0;
    for (const segment of view.segments) {
      for (let from = 0; from < segment.channels; from += most) {
        const channels = Math.min(most, segment.channels - from);
        const place = segment.place.plus(from * tiles.channelStride);
        parts.push({ part: targetAt(tiles, channels, place), first });
        first += channels;
      }
    }
    this.share(parts, (own) => {
      for (const { part, first: at } of own) write(part, at);
    });
  }

  /** Pixels of a register tile. */
  get wide(): number {
    return 4 * this.machine.vectors;
  }

  tilesOf(shape: MapShape): Tiles {
    return tilesOf(shape, this.tile, this.batch);
  }

  /** A map of its own. */
  newMap(shape: MapShape): Target {
    const tiles = this.tilesOf(shape);
    const place = new Buffer(shape.channels * tiles.channelStride + MAP_SLACK, 'arena').at();
    return targetAt(tiles, shape.channels, place);
  }

  /** Memory for one step. */
  scratch(bytes: number): Place {
    return new Buffer(bytes, 'arena').at();
  }

  /** A table of so many words that depends on nothing but its key; its content is asked for when the program is placed. */
  table(key: string, words: number, content: () => Int32Array | Float32Array): Place {
    const known = this.tables.get(key);
    if (known !== undefined) return known.at();
    const buffer = new Buffer(4 * words, 'table', content);
    this.tables.set(key, buffer);
    return buffer.at();
  }

  /** Counts multiply-accumulates of the step under way. */
  count(macs: number): void {
    this.macs += macs;
  }

  /** Ends a step. */
  endStep(name: string, kind: string): void {
    this.program.endStep(name, kind, this.macs);
    this.macs = 0;
  }

  /** Filters that are zero. */
  zeroWeights(count: number): Place {
    return this.table(`zeros ${count}`, count + 16, () => new Float32Array(count + 16));
  }

  /** Channels `start` to `end` of a view. */
  slice(view: View, start: number, end: number): View {
    return { tiles: view.tiles, channels: end - start, segments: segmentsOf(view, start, end) };
  }

  /** The addresses of channels of a view, the last one repeated up to a length. */
  addresses(view: View, start = 0, end = view.channels, length = end - start): Place {
    const stride = view.tiles.channelStride;
    const runs = segmentsOf(view, start, end).map(({ place, channels }) => new Run(place, channels, stride));
    const last = runs.at(-1);
    if (last !== undefined && length > end - start) {
      runs.push(new Run(last.first.plus((last.count - 1) * stride), length - (end - start), 0));
    }
    return new Buffer(4 * length, 'table', runs).at();
  }
}

/** Items for so many threads, neighbours to one. */
export function sharesOf<T>(items: readonly T[], threads: number): T[][] {
  const parts = Math.min(threads, items.length);
  const end = (part: number) => Math.floor((part * items.length) / parts);
  return Array.from({ length: parts }, (_, part) => items.slice(end(part), end(part + 1)));
}

/** Channels `start` to `end` of a view as few segments. */
export function segmentsOf(view: View, start: number, end: number): Segment[] {
  const found: Segment[] = [];
  let first = 0;
  for (const { place, channels } of view.segments) {
    const from = Math.max(start - first, 0);
    const to = Math.min(end - first, channels);
    if (from < to) found.push({ place: place.plus(from * view.tiles.channelStride), channels: to - from });
    first += channels;
  }
  return found;
}
