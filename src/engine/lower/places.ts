/** Lists of places: where the products over lists of pixels read and write. */
import type { Place } from '../program.js';
import { placesInOrder, roundUp, type Tiles } from '../tiles.js';
import type { Lowering } from './context.js';

/** Zeros stand here in every channel whose margins are zero. */
export const ZERO_PLACE = 0;

/** Pixels of all images. */
export const pixelCount = ({ height, width, batch }: Tiles): number => height * width * batch;

/** Lists of places, each filled up to whole register tiles with its last. */
export function placeLists(
  lowering: Lowering,
  key: string,
  { lists, places }: { readonly lists: number; readonly places: number },
  content: () => number[][],
): Place {
  const length = roundUp(places, lowering.wide);
  return lowering.table(`${key} ${lowering.wide}`, lists * length, () => {
    const words = new Int32Array(lists * length);
    for (const [i, row] of content().entries()) {
      words.fill(row.at(-1) ?? ZERO_PLACE, i * length, (i + 1) * length);
      words.set(row, i * length);
    }
    return words;
  });
}

/** What distinguishes a layout from others, for keys. */
export const nameOf = ({ height, width, tile, batch }: Tiles): string => `${batch}x${height}x${width}/${tile}`;

/** The pixels of a map in the order of memory. */
export function pixelList(lowering: Lowering, tiles: Tiles): Place {
  return placeLists(lowering, `pixels ${nameOf(tiles)}`, { lists: 1, places: pixelCount(tiles) }, () => [
    placesInOrder(tiles),
  ]);
}
