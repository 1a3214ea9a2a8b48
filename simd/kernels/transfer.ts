/** Images [height, width, channels] into tiles and out of them, four pixels of four channels at a time. */
import { define, type Params } from '../define.js';
import type { Int, IntVar, Vec, Writer } from '../lang.js';

type TransferParams = Params<'toTiles'>;

/** Rows of four vectors as columns. */
function transposed(w: Writer, rows: readonly Vec[]): Vec[] {
  const [a, b, c, d] = rows;
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('Four rows, please.');
  const [low, high, nextLow, nextHigh] = [
    w.vec(a.shuffle(b, [0, 4, 1, 5])),
    w.vec(a.shuffle(b, [2, 6, 3, 7])),
    w.vec(c.shuffle(d, [0, 4, 1, 5])),
    w.vec(c.shuffle(d, [2, 6, 3, 7])),
  ];
  return [
    low.shuffle(nextLow, [0, 1, 4, 5]),
    low.shuffle(nextLow, [2, 3, 6, 7]),
    high.shuffle(nextHigh, [0, 1, 4, 5]),
    high.shuffle(nextHigh, [2, 3, 6, 7]),
  ];
}

/** What is done with pixels of a row that lie in one plane: their addresses, and steps to the next pixel and channel. */
interface Moves {
  /** Four neighbours in the plane, of four channels. */
  readonly block: (image: Int, step: Int, map: Int, channelStride: Int) => void;
  /** One pixel of four channels. */
  readonly pixel: (image: Int, map: Int, channelStride: Int) => void;
  /** One value. */
  readonly value: (image: Int, map: Int) => void;
}

/** Row by row, so that a row of the image stays in the cache while its channels go by. */
function eachRow(w: Writer, p: TransferParams, { block, pixel, value }: Moves): void {
  const pixelBytes = w.int(p.imageChannels.times(4));
  const step = w.int(p.tile.times(pixelBytes));
  const whole = w.int(p.channels.and(-4));
  w.loop(0, p.height, 1, (y) => {
    const row = w.int(p.first.plus(y.dividedBy(p.tile).times(p.pitch).times(4)));
    const imageRow = w.int(p.image.plus(y.times(p.width).times(pixelBytes)));
    const inPlane = (c: IntVar, j: IntVar, visit: (image: IntVar, map: IntVar, count: IntVar) => void) => {
      const plane = w.int(y.modulo(p.tile).times(p.tile).plus(j).times(p.planeStride));
      const map = w.int(p.map.plus(c.times(p.channelStride)).plus(plane).plus(row));
      const image = w.int(imageRow.plus(j.times(pixelBytes)).plus(c.times(4)));
      const count = w.int(p.width.minus(j).plus(p.tile).minus(1).dividedBy(p.tile).where(j.below(p.width), 0));
      visit(image, map, count);
    };
    w.loop(0, whole, 4, (c) => {
      w.loop(0, p.tile, 1, (j) => {
        inPlane(c, j, (image, map, count) => {
          w.loop(0, count.and(-4), 4, () => {
            block(image, step, map, p.channelStride);
            image.add(step.times(4));
            map.add(16);
          });
          w.loop(count.and(-4), count, 1, () => {
            pixel(image, map, p.channelStride);
            image.add(step);
            map.add(4);
          });
        });
      });
    });
    w.loop(whole, p.channels, 1, (c) => {
      w.loop(0, p.tile, 1, (j) => {
        inPlane(c, j, (image, map, count) => {
          w.loop(0, count, 1, () => {
            value(image, map);
            image.add(step);
            map.add(4);
          });
        });
      });
    });
  });
}

const FOUR = [0, 1, 2, 3] as const;

/** Addresses of four places, one stride apart. */
const places = (w: Writer, first: Int, stride: Int): IntVar[] => FOUR.map((i) => w.int(first.plus(stride.times(i))));

export const toTiles = define('toTiles', (w, p) => {
  eachRow(w, p, {
    block: (image, step, map, channelStride) => {
      const rows = places(w, image, step).map((place) => w.vec(w.load(place)));
      const to = places(w, map, channelStride);
      for (const [i, column] of transposed(w, rows).entries()) w.store(to[i] ?? map, column);
    },
    pixel: (image, map, channelStride) => {
      const row = w.vec(w.load(image));
      for (const [i, place] of places(w, map, channelStride).entries()) w.storeLane(place, row, i);
    },
    value: (image, map) => w.storeLane(map, w.loadFirst(image), 0),
  });
});

export const fromTiles = define('fromTiles', (w, p) => {
  eachRow(w, p, {
    block: (image, step, map, channelStride) => {
      const rows = places(w, map, channelStride).map((place) => w.vec(w.load(place)));
      const to = places(w, image, step);
      for (const [i, column] of transposed(w, rows).entries()) w.store(to[i] ?? image, column);
    },
    pixel: (image, map, channelStride) => {
      w.store(
        image,
        w.gather((lane) => map.plus(channelStride.times(lane))),
      );
    },
    value: (image, map) => w.storeLane(image, w.loadFirst(map), 0),
  });
});
