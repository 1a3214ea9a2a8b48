/** What the transforms of Winograd's algorithms have in common: a tile's window along both axes into components, and components into its pixels. */
import type { Params } from '../define.js';
import type { Int, IntVar, VecVar, Writer } from '../lang.js';
import { epilogueOf } from './epilogue.js';

/** B^T or A^T along one axis. */
export type Along = (w: Writer, values: readonly VecVar[]) => VecVar[];

/** For each value of a window along an axis: the plane of its pixel, and whether it lies in the tile, before (-1) or behind it (1). */
export interface Windows {
  readonly planes: readonly number[];
  readonly tiles: readonly number[];
}

/** The window of a tile of `tile` pixels that starts so many of them before it and holds so many values. */
export function windowsFrom(before: number, points: number, tile: number): Windows {
  const pixels = Array.from({ length: points }, (_, i) => i - before);
  return {
    planes: pixels.map((pixel) => (pixel + tile) % tile),
    tiles: pixels.map((pixel) => Math.floor(pixel / tile)),
  };
}

/** Windows of all channels into components; `p`: what the kernels of all algorithms take. */
export function transform(
  w: Writer,
  p: Omit<Params<'transform3'>, 'kind'>,
  { planes, tiles }: Windows,
  tile: number,
  toComponents: Along,
): void {
  const points = planes.length;
  const pitch4 = w.int(p.pitch.times(4));
  const from = w.int(p.pitch.and(-4).times(4));
  const length = w.int(p.length.times(4));
  const isRead = (plane: number, at: number) => planes.some((other, i) => other === plane && tiles[i] === at);
  w.loop(0, p.count, 1, (c) => {
    const x = w.int(p.input.plus(c.times(p.inputChannel)).minus(pitch4));
    // Along rows first, for the tile row above, those of the range and the one below; place 0 is one tile row above.
    for (let i = 0; i < tile; i++) {
      const places = planes.map((plane, j) =>
        w.int(x.plus(p.planeStride.times(tile * i + plane)).plus(4 * (tiles[j] ?? 0))),
      );
      const end = isRead(i, 1) ? length.plus(pitch4).plus(pitch4).plus(16) : length.plus(pitch4);
      const out = w.int(p.rows.plus(p.rowStride.times(points * i)));
      w.loop(isRead(i, -1) ? 0 : from, w.int(end), 16, (q) => {
        const values = toComponents(
          w,
          places.map((place) => w.vec(w.load(place.plus(q)))),
        );
        for (const [j, value] of values.entries()) w.store(out.plus(p.rowStride.times(j)).plus(q), value);
      });
    }
    for (let j = 0; j < points; j++) {
      const places = planes.map((plane, i) =>
        w.int(p.rows.plus(p.rowStride.times(points * plane + j)).plus(pitch4.times((tiles[i] ?? 0) + 1))),
      );
      const out = w.int(p.components.plus(p.componentStride.times(j)).plus(c.times(p.channelStride)));
      const step = w.int(p.componentStride.times(points));
      w.loop(0, length, 16, (q) => {
        const values = toComponents(
          w,
          places.map((place) => w.vec(w.load(place.plus(q)))),
        );
        const to = w.int(out.plus(q));
        for (const value of values) {
          w.store(to, value);
          to.add(step);
        }
      });
    }
  });
}

/** Components of all outputs into pixels, with the epilogue. */
export function inverse(w: Writer, p: Params<'inverse3'>, points: number, tile: number, toPixels: Along): void {
  const whole = w.int(p.length.and(-4).times(4));
  const rest = w.int(p.length.and(3));
  w.loop(0, p.count, 1, (c) => {
    const finish = epilogueOf(w, p.epilogue, c);
    const sums = w.int(p.sums.plus(c.times(p.sumOutput)));
    const out = w.int(p.out.plus(c.times(p.outChannel)));
    const row = w.int(p.sumComponent.times(points));
    const visit = (isAdded: boolean, isTail: boolean) => (q: IntVar) => {
      const columns = Array.from({ length: points }, (_, j) => {
        const place: Int[] = [w.int(sums.plus(p.sumComponent.times(j)).plus(q))];
        for (let i = 1; i < points; i++) place.push(w.int((place[i - 1] as Int).plus(row)));
        return toPixels(
          w,
          place.map((address) => w.vec(w.load(address))),
        );
      });
      const to = w.int(out.plus(q));
      for (let i = 0; i < tile; i++) {
        const pixels = toPixels(
          w,
          columns.map((column) => column[i] as VecVar),
        );
        for (const pixel of pixels) {
          const value = w.vec(isAdded ? w.load(to).plus(finish(pixel)) : finish(pixel));
          // What lies behind the end may be another thread's.
          if (isTail)
            for (const lane of [0, 1, 2]) w.when(rest.greater(lane), () => w.storeLane(to, value, lane, 4 * lane));
          else w.store(to, value);
          to.add(p.planeStride);
        }
      }
    };
    w.when(
      p.accumulate,
      () => {
        w.loop(0, whole, 16, visit(true, false));
        w.when(rest.differs(0), () => visit(true, true)(whole));
      },
      () => {
        w.loop(0, whole, 16, visit(false, false));
        w.when(rest.differs(0), () => visit(false, true)(whole));
      },
    );
  });
}
