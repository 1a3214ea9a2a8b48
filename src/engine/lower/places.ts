/** Lists of places: where kernels that go from pixel to pixel read and write. */
import type { Place } from '../program.js';
import { inOrder, placeOf, roundUp, type Tiles } from '../tiles.js';
import type { Pair } from '../types.js';
import type { Lowering } from './context.js';

/** Zeros stand here in every channel whose margins are zero. */
export const ZERO_PLACE = 0;

/** Pixels of all images. */
export const pixelCount = ({ height, width, batch }: Tiles): number => height * width * batch;

/** The row of another map that belongs to one of a map, or the column; it may lie outside of it. null: the pixels there have no place. */
export type Along = (position: number) => number | null;

const OUTSIDE = -1;

/** For the pixels of a map, in the order of memory, their places in another one; outside of it the zero place. */
export function placesOf(pixels: Tiles, map: Tiles, row: Along, column: Along): Float64Array {
  const { height, width, first, sampleStride } = map;
  const places = (along: Along, size: number, place: (position: number) => number) => (position: number) => {
    const found = along(position);
    if (found === null) return null;
    return found >= 0 && found < size ? place(found) : OUTSIDE;
  };
  return inOrder(
    pixels,
    places(row, height, (y) => placeOf(map, { sample: 0, y, x: 0 })),
    places(column, width, (x) => placeOf(map, { sample: 0, y: 0, x }) - first),
    (y, x, sample) => (y === OUTSIDE || x === OUTSIDE ? ZERO_PLACE : y + x + sample * sampleStride),
  );
}

export const itself: Along = (position) => position;

/** What {@link placesOf} gives for each tap of a window, row by row. */
export const windowPlaces = (
  pixels: Tiles,
  map: Tiles,
  [rows, columns]: Pair,
  row: (tap: number) => Along,
  column: (tap: number) => Along,
): Float64Array[] =>
  Array.from({ length: rows * columns }, (_, tap) =>
    placesOf(pixels, map, row(Math.floor(tap / columns)), column(tap % columns)),
  );

/** The places of all pixels in the order of memory. */
export const pixelPlaces = (tiles: Tiles): Float64Array => placesOf(tiles, tiles, itself, itself);

/** Writes rows one behind the other, each filled up with its last number to a length. */
export function fillUp<Words extends Int32Array | Float32Array>(
  words: Words,
  rows: readonly Float64Array[],
  length: number,
): Words {
  for (const [i, row] of rows.entries()) {
    words.fill(row.at(-1) ?? ZERO_PLACE, i * length, (i + 1) * length);
    words.set(row, i * length);
  }
  return words;
}

/** Lists of places, each filled up with its last to a multiple of `unit`: a register tile where nothing is said. */
export function placeLists(
  lowering: Lowering,
  key: string,
  { lists, places, unit = lowering.wide }: { readonly lists: number; readonly places: number; readonly unit?: number },
  content: () => readonly Float64Array[],
): Place {
  const length = roundUp(places, unit);
  return lowering.table(`${key} ${unit}`, lists * length, () =>
    fillUp(new Int32Array(lists * length), content(), length),
  );
}

/** What distinguishes a layout from others, for keys. */
export const nameOf = ({ height, width, tile, batch }: Tiles): string => `${batch}x${height}x${width}/${tile}`;

/** The pixels of a map in the order of memory. */
export function pixelList(lowering: Lowering, tiles: Tiles, unit = lowering.wide): Place {
  const size = { lists: 1, places: pixelCount(tiles), unit };
  return placeLists(lowering, `pixels ${nameOf(tiles)}`, size, () => [pixelPlaces(tiles)]);
}
