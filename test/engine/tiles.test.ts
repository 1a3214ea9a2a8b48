/** Where pixels lie: lists of them against the place of each. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pixelPlaces, placesOf, ZERO_PLACE } from '../../src/engine/lower/places.js';
import { placeOf, tilesOf } from '../../src/engine/tiles.js';

const side = fc.integer({ min: 1, max: 14 });
const tile = fc.constantFrom<3 | 4>(3, 4);
const batch = fc.integer({ min: 1, max: 3 });

/** All pixels in no order. */
const pixelsOf = (size: { batch: number; height: number; width: number }) =>
  Array.from({ length: size.batch * size.height * size.width }, (_, i) => ({
    sample: Math.floor(i / (size.height * size.width)),
    y: Math.floor(i / size.width) % size.height,
    x: i % size.width,
  }));

it('pixelPlaces gives the place of every pixel, each once and in the order of memory', () => {
  fc.assert(
    fc.property(side, side, tile, batch, (height, width, tile, batch) => {
      const tiles = tilesOf({ height, width }, tile, batch);
      const expected = pixelsOf({ batch, height, width }).map((pixel) => placeOf(tiles, pixel));
      expect([...pixelPlaces(tiles)]).toEqual(expected.sort((a, b) => a - b));
    }),
  );
});

it('placesOf follows rows and columns into another map, outside of which it gives the zero place, and leaves some out', () => {
  const stride = fc.integer({ min: 1, max: 3 });
  const shift = fc.integer({ min: -4, max: 4 });
  fc.assert(
    fc.property(side, side, tile, batch, stride, shift, stride, (height, width, tile, batch, step, move, every) => {
      const tiles = tilesOf({ height, width }, tile, batch);
      const other = tilesOf({ height: 7, width: 5 }, tile, batch);
      const row = (y: number) => (y % every === 0 ? step * y + move : null);
      const column = (x: number) => step * x - move;
      const expected = pixelsOf({ batch, height, width })
        .sort((a, b) => placeOf(tiles, a) - placeOf(tiles, b))
        .filter(({ y }) => y % every === 0)
        .map(({ sample, y, x }) => {
          const [toY, toX] = [step * y + move, step * x - move];
          const isInside = toY >= 0 && toY < 7 && toX >= 0 && toX < 5;
          return isInside ? placeOf(other, { sample, y: toY, x: toX }) : ZERO_PLACE;
        });
      expect([...placesOf(tiles, other, row, column)]).toEqual(expected);
    }),
  );
});
