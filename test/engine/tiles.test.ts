/** Where pixels lie: lists of all of them against the place of each. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pixelsInOrder, placeOf, placesInOrder, tilesOf } from '../../src/engine/tiles.js';

it('placesInOrder gives the place of every pixel, each once and in the order of memory', () => {
  const side = fc.integer({ min: 1, max: 14 });
  fc.assert(
    fc.property(
      side,
      side,
      fc.constantFrom<3 | 4>(3, 4),
      fc.integer({ min: 1, max: 3 }),
      (height, width, tile, batch) => {
        const tiles = tilesOf({ height, width }, tile, batch);
        const places = placesInOrder(tiles);
        expect(places).toEqual(pixelsInOrder(tiles).map((pixel) => placeOf(tiles, pixel)));
        expect(places).toHaveLength(height * width * batch);
        expect(places.every((place, i) => i === 0 || place > (places[i - 1] ?? 0))).toBe(true);
      },
    ),
  );
});
