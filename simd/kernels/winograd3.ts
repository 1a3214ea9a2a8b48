/**
 * Winograd's F(3,3) on tiles of 3x3 pixels: points 0, 1, -1, 2 and infinity, 25 components of 5x5 windows. One window serves
 * every kernel whose window starts at the same pixel modulo 3.
 */
import { define } from '../define.js';
import type { Int, IntVar, Vec, VecVar, Writer } from '../lang.js';
import { epilogueOf } from './epilogue.js';

/** B^T of five values. */
function toComponents(w: Writer, [a, b, c, d, e]: readonly Vec[]): Vec[] {
  if (!a || !b || !c || !d || !e) throw new Error('F(3,3) takes five values.');
  const [va, vb, vc, vd, ve] = [a, b, c, d, e].map((x) => w.vec(x)) as [VecVar, VecVar, VecVar, VecVar, VecVar];
  const t = w.vec(vd.minus(vb));
  const u = w.vec(vd.minus(vc));
  const b2 = w.vec(vb.plus(vb));
  return [
    t.plus(va).plus(va.minus(vc).minus(vc)),
    u.minus(b2),
    u.minus(vc.plus(vc)).plus(b2),
    t,
    ve.minus(vc).minus(t.plus(t)),
  ].map((x) => w.vec(x));
}

/** A^T of five values. */
function toPixels(w: Writer, [a, b, c, d, e]: readonly Vec[]): Vec[] {
  if (!a || !b || !c || !d || !e) throw new Error('F(3,3) takes five values.');
  const sum = w.vec(b.plus(c));
  const difference = w.vec(b.minus(c));
  const d2 = w.vec(d.plus(d));
  return [a.plus(sum).plus(d), difference.plus(d2), sum.plus(d2.plus(d2)).plus(e)].map((x) => w.vec(x));
}

/** For each value of a window: the plane of its pixel along an axis, and the tile before (-1) or behind (1). */
const WINDOWS = [
  { planes: [2, 0, 1, 2, 0], tiles: [-1, 0, 0, 0, 1] },
  { planes: [1, 2, 0, 1, 2], tiles: [-1, -1, 0, 0, 0] },
] as const;

export const transform3 = define('transform3', (w, p) => {
  const pitch4 = w.int(p.pitch.times(4));
  const from = w.int(p.pitch.and(-4).times(4));
  const length = w.int(p.length.times(4));
  const write = (kind: 0 | 1) => {
    const { planes, tiles } = WINDOWS[kind];
    w.loop(0, p.count, 1, (c) => {
      const x = w.int(p.input.plus(c.times(p.inputChannel)).minus(pitch4));
      // Along rows first, for the tile row above, those of the range and the one below; place 0 is one tile row above.
      for (const i of [0, 1, 2]) {
        const places = planes.map((plane, j) =>
          w.int(x.plus(p.planeStride.times(3 * i + plane)).plus(4 * (tiles[j] ?? 0))),
        );
        const isReadAbove = i === 2 || (kind === 1 && i === 1);
        const isReadBelow = i === 0 && kind === 0;
        const end = isReadBelow ? length.plus(pitch4).plus(pitch4).plus(16) : length.plus(pitch4);
        const out = w.int(p.rows.plus(p.rowStride.times(5 * i)));
        w.loop(isReadAbove ? 0 : from, w.int(end), 16, (q) => {
          const values = toComponents(
            w,
            places.map((place) => w.load(place.plus(q))),
          );
          for (const [j, value] of values.entries()) w.store(out.plus(p.rowStride.times(j)).plus(q), value);
        });
      }
      for (const j of [0, 1, 2, 3, 4]) {
        const places = planes.map((plane, i) =>
          w.int(p.rows.plus(p.rowStride.times(5 * plane + j)).plus(pitch4.times((tiles[i] ?? 0) + 1))),
        );
        const out = w.int(p.components.plus(p.componentStride.times(j)).plus(c.times(p.channelStride)));
        const step = w.int(p.componentStride.times(5));
        w.loop(0, length, 16, (q) => {
          const values = toComponents(
            w,
            places.map((place) => w.load(place.plus(q))),
          );
          const to = w.int(out.plus(q));
          for (const value of values) {
            w.store(to, value);
            to.add(step);
          }
        });
      }
    });
  };
  w.when(
    p.kind.equals(0),
    () => write(0),
    () => write(1),
  );
});

export const inverse3 = define('inverse3', (w, p) => {
  const whole = w.int(p.length.and(-4).times(4));
  const rest = w.int(p.length.and(3));
  w.loop(0, p.count, 1, (c) => {
    const finish = epilogueOf(w, p.epilogue, c);
    const sums = w.int(p.sums.plus(c.times(p.sumOutput)));
    const out = w.int(p.out.plus(c.times(p.outChannel)));
    const row = w.int(p.sumComponent.times(5));
    const visit = (isAdded: boolean, isTail: boolean) => (q: IntVar) => {
      const columns = [0, 1, 2, 3, 4].map((j) => {
        const place: Int[] = [w.int(sums.plus(p.sumComponent.times(j)).plus(q))];
        for (const i of [1, 2, 3, 4]) place.push(w.int((place[i - 1] as Int).plus(row)));
        return toPixels(
          w,
          place.map((address) => w.vec(w.load(address))),
        );
      });
      const to = w.int(out.plus(q));
      for (const i of [0, 1, 2]) {
        const pixels = toPixels(
          w,
          columns.map((column) => column[i] as Vec),
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
});
