/** Pooling, and any resampling by lists of places. */
import { define } from '../define.js';
import type { Int, IntVar, Vec, VecVar, Writer } from '../lang.js';

/** Where the maxima of the pairs of columns of the T planes of a row go: [plane, even or odd tile] of both columns. */
const COLUMNS = {
  3: [
    [0, 0, 1, 0],
    [2, 0, 0, 1],
    [1, 1, 2, 1],
  ],
  4: [
    [0, 0, 1, 0],
    [2, 0, 3, 0],
    [0, 1, 1, 1],
    [2, 1, 3, 1],
  ],
} as const;

/** Even and odd tiles of two vectors of a plane. */
const split = (w: Writer, a: Vec, b: Vec): readonly [VecVar, VecVar] => [
  w.vec(a.shuffle(b, [0, 2, 4, 6])),
  w.vec(a.shuffle(b, [1, 3, 5, 7])),
];

/** The place of a row of pixels in the planes of a channel. */
const rowPlace = (
  w: Writer,
  tile: number,
  y: IntVar,
  p: Readonly<Record<'inputPlane' | 'inputFirst' | 'inputPitch', IntVar>>,
): IntVar =>
  w.int(
    y
      .modulo(tile)
      .times(tile)
      .times(p.inputPlane)
      .plus(p.inputFirst)
      .plus(y.dividedBy(tile).times(p.inputPitch).times(4)),
  );

const pool = (tile: 3 | 4) =>
  define(`pool${tile}`, (w, p) => {
    w.loop(0, p.count, 1, (c) => {
      const input = w.int(p.input.plus(c.times(p.inputChannel)));
      w.loop(0, p.tileRows, 1, (row) => {
        for (let i = 0; i < tile; i++) {
          const y = w.int(row.times(tile).plus(i).times(2));
          const upper = w.int(input.plus(rowPlace(w, tile, y, p)));
          y.add(1);
          const lower = w.int(input.plus(rowPlace(w, tile, y, p)));
          const out = w.int(
            p.out
              .plus(c.times(p.outChannel))
              .plus(p.outPlane.times(i * tile))
              .plus(p.outFirst)
              .plus(row.times(p.outPitch).times(4)),
          );
          w.loop(0, w.int(p.tileColumns.times(4)), 16, (x) => {
            const tall = Array.from({ length: tile }, (_, j) => {
              const shift = p.inputPlane.times(j);
              const a = w.int(upper.plus(shift).plus(x).plus(x));
              const b = w.int(lower.plus(shift).plus(x).plus(x));
              const [first, second] = w.vecs(2, (v) => w.load(a, 16 * v).atLeast(w.load(b, 16 * v)));
              return split(w, first as VecVar, second as VecVar);
            });
            const at = (plane: number, odd: number): Vec => tall[plane]?.[odd] as Vec;
            for (const [j, [plane, odd, other, otherOdd]] of COLUMNS[tile].entries()) {
              w.store(out.plus(p.outPlane.times(j)).plus(x), at(plane, odd).atLeast(at(other, otherOdd)));
            }
          });
        }
      });
    });
  });

export const pool3 = pool(3);
export const pool4 = pool(4);

const poolGradient = (tile: 3 | 4) =>
  define(`poolGradient${tile}`, (w, p) => {
    w.loop(0, p.count, 1, (c) => {
      const channel = w.int(c.times(p.inputChannel));
      w.loop(0, p.tileRows, 1, (row) => {
        for (let i = 0; i < tile; i++) {
          const y = w.int(row.times(tile).plus(i).times(2));
          const upper = w.int(channel.plus(rowPlace(w, tile, y, p)));
          y.add(1);
          const lower = w.int(channel.plus(rowPlace(w, tile, y, p)));
          const dy = w.int(
            p.gradient
              .plus(c.times(p.gradientChannel))
              .plus(p.gradientPlane.times(i * tile))
              .plus(p.gradientFirst)
              .plus(row.times(p.gradientPitch).times(4)),
          );
          w.loop(0, w.int(p.tileColumns.times(4)), 16, (x) => {
            const place = (line: Int, plane: number) => line.plus(p.inputPlane.times(plane)).plus(x).plus(x);
            const values = [upper, lower].map((line) =>
              Array.from({ length: tile }, (_, plane) => {
                const from = w.int(p.input.plus(place(line, plane)));
                return split(w, w.load(from), w.load(from, 16));
              }),
            );
            const spread = values.map((planes) => planes.map((): Vec[] => []));
            for (const [j, [plane, odd, other, otherOdd]] of COLUMNS[tile].entries()) {
              const gradient = w.vec(w.load(dy.plus(p.gradientPlane.times(j)).plus(x)));
              const pairs = values.map((planes) => [
                planes[plane]?.[odd] as VecVar,
                planes[other]?.[otherOdd] as VecVar,
              ]);
              const [top, bottom] = pairs.map(([a, b]) => w.vec((a as VecVar).atLeast(b as VecVar))) as [
                VecVar,
                VecVar,
              ];
              // The first of equals keeps it: the upper row, and in a row the first pixel.
              const isLower = w.vec(bottom.greater(top));
              for (const [r, share] of [gradient.andNot(isLower), gradient.and(isLower)].entries()) {
                const [a, b] = pairs[r] as [VecVar, VecVar];
                const own = w.vec(share);
                const isSecond = w.vec(b.greater(a));
                const line = spread[r];
                if (line === undefined) continue;
                (line[plane] as Vec[])[odd] = w.vec(own.andNot(isSecond));
                (line[other] as Vec[])[otherOdd] = w.vec(own.and(isSecond));
              }
            }
            for (const [r, line] of [upper, lower].entries()) {
              for (let plane = 0; plane < tile; plane++) {
                const [even, odd] = (spread[r] as Vec[][])[plane] as [Vec, Vec];
                const to = w.int(p.target.plus(place(line, plane)));
                w.store(to, even.shuffle(odd, [0, 4, 1, 5]));
                w.store(to, even.shuffle(odd, [2, 6, 3, 7]), 16);
              }
            }
          });
        }
      });
    });
  });

export const poolGradient3 = poolGradient(3);
export const poolGradient4 = poolGradient(4);

export const gatherMax = define('gatherMax', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const out = w.int(p.out.plus(c.times(p.outChannel)));
    w.loop(0, p.pixels, 4, (at) => {
      const from = w.int(p.from.plus(at.times(4)));
      const gathered = () => w.gather((lane) => input.plus(w.loadInt(from, 4 * lane)));
      const largest = w.vec(gathered());
      w.loop(1, p.taps, 1, () => {
        from.add(p.pixels.times(4));
        largest.set(largest.atLeast(gathered()));
      });
      const to = w.int(p.to.plus(at.times(4)));
      for (const lane of [0, 1, 2, 3]) w.storeLane(out.plus(w.loadInt(to, 4 * lane)), largest, lane);
    });
  });
});

export const gatherSum = define('gatherSum', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const out = w.int(p.out.plus(c.times(p.outChannel)));
    w.loop(0, p.pixels, 4, (at) => {
      const shift = w.int(at.times(4));
      const to = w.int(p.to.plus(at.times(4)));
      const total = w.vec(w.const(0));
      w.when(p.accumulate, () => total.set(w.gather((lane) => out.plus(w.loadInt(to, 4 * lane)))));
      w.loop(0, p.taps, 1, () => {
        const from = w.int(p.from.plus(shift));
        const value = w.gather((lane) => input.plus(w.loadInt(from, 4 * lane)));
        total.set(w.fma(value, w.load(p.shares.plus(shift)), total));
        shift.add(p.pixels.times(4));
      });
      for (const lane of [0, 1, 2, 3]) w.storeLane(out.plus(w.loadInt(to, 4 * lane)), total, lane);
    });
  });
});

export const gatherMaxGradient = define('gatherMaxGradient', (w, p) => {
  const row = w.int(p.listLength.times(4));
  w.loop(0, p.count, 1, (c) => {
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const gradient = w.int(p.gradient.plus(c.times(p.gradientChannel)));
    const target = w.int(p.target.plus(c.times(p.targetChannel)));
    w.loop(0, p.pixels, 1, (at) => {
      const from = w.int(p.from.plus(at.times(4)));
      const place = w.int(w.loadInt(from));
      const largest = w.vec(w.loadFirst(input.plus(place)));
      w.loop(1, p.taps, 1, () => {
        from.add(row);
        const other = w.int(w.loadInt(from));
        const value = w.vec(w.loadFirst(input.plus(other)));
        // The first of equals keeps it.
        w.when(value.greater(largest).anyTrue(), () => {
          largest.set(value);
          place.set(other);
        });
      });
      const to = w.int(target.plus(place));
      const dy = w.loadFirst(gradient.plus(w.loadInt(p.to.plus(at.times(4)))));
      w.storeLane(to, w.loadFirst(to).plus(dy), 0);
    });
  });
});
