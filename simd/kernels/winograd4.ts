/** Winograd's F(4,3) on tiles of 4x4 pixels: points 0, 1, -1, 2, -2 and infinity, 36 components of 6x6 windows. */
import { define } from '../define.js';
import type { Int, IntVar, Vec, VecVar, Writer } from '../lang.js';
import { epilogueOf } from './epilogue.js';

type Six = [VecVar, VecVar, VecVar, VecVar, VecVar, VecVar];

/** B^T of six values. */
function toComponents(w: Writer, values: readonly Vec[]): Vec[] {
  const [a, b, c, d, e, f] = values.map((x) => w.vec(x)) as Six;
  const x = w.vec(e.minus(w.const(4).times(c)));
  const y = w.vec(d.minus(w.const(4).times(b)));
  const z = w.vec(e.minus(c));
  const t = w.vec(d.minus(b));
  const u = w.vec(t.plus(t));
  const minusFive = w.const(-5);
  return [
    w.fma(w.const(4), a, e).plus(minusFive.times(c)),
    x.plus(y),
    x.minus(y),
    z.plus(u),
    z.minus(u),
    w.fma(w.const(4), b, f).plus(minusFive.times(d)),
  ].map((value) => w.vec(value));
}

/** A^T of six values. */
function toPixels(w: Writer, values: readonly Vec[]): Vec[] {
  const [a, b, c, d, e, f] = values.map((x) => w.vec(x)) as Six;
  const s = w.vec(b.plus(c));
  const t = w.vec(b.minus(c));
  const u = w.vec(d.plus(e));
  const v = w.vec(d.minus(e));
  const v2 = w.vec(v.plus(v));
  const u4 = w.vec(u.times(w.const(4)));
  return [a.plus(s).plus(u), t.plus(v2), s.plus(u4), t.plus(f).plus(v2.times(w.const(4)))].map((value) => w.vec(value));
}

const PLANES = [3, 0, 1, 2, 3, 0] as const;
const TILES = [-1, 0, 0, 0, 0, 1] as const;

export const transform4 = define('transform4', (w, p) => {
  const pitch4 = w.int(p.pitch.times(4));
  const from = w.int(p.pitch.and(-4).times(4));
  const length = w.int(p.length.times(4));
  w.loop(0, p.count, 1, (c) => {
    const x = w.int(p.input.plus(c.times(p.inputChannel)).minus(pitch4));
    for (const i of [0, 1, 2, 3]) {
      const places = PLANES.map((plane, j) =>
        w.int(x.plus(p.planeStride.times(4 * i + plane)).plus(4 * (TILES[j] ?? 0))),
      );
      const end = i === 0 ? length.plus(pitch4).plus(pitch4).plus(16) : length.plus(pitch4);
      const out = w.int(p.rows.plus(p.rowStride.times(6 * i)));
      w.loop(i === 3 ? 0 : from, w.int(end), 16, (q) => {
        const values = toComponents(
          w,
          places.map((place) => w.load(place.plus(q))),
        );
        for (const [j, value] of values.entries()) w.store(out.plus(p.rowStride.times(j)).plus(q), value);
      });
    }
    for (const j of [0, 1, 2, 3, 4, 5]) {
      const places = PLANES.map((plane, i) =>
        w.int(p.rows.plus(p.rowStride.times(6 * plane + j)).plus(pitch4.times((TILES[i] ?? 0) + 1))),
      );
      const out = w.int(p.components.plus(p.componentStride.times(j)).plus(c.times(p.channelStride)));
      const step = w.int(p.componentStride.times(6));
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
});

export const inverse4 = define('inverse4', (w, p) => {
  const whole = w.int(p.length.and(-4).times(4));
  const rest = w.int(p.length.and(3));
  w.loop(0, p.count, 1, (c) => {
    const finish = epilogueOf(w, p.epilogue, c);
    const sums = w.int(p.sums.plus(c.times(p.sumOutput)));
    const out = w.int(p.out.plus(c.times(p.outChannel)));
    const row = w.int(p.sumComponent.times(6));
    const visit = (isAdded: boolean, isTail: boolean) => (q: IntVar) => {
      const columns = [0, 1, 2, 3, 4, 5].map((j) => {
        const place: Int[] = [w.int(sums.plus(p.sumComponent.times(j)).plus(q))];
        for (const i of [1, 2, 3, 4, 5]) place.push(w.int((place[i - 1] as Int).plus(row)));
        return toPixels(
          w,
          place.map((address) => w.load(address)),
        );
      });
      const to = w.int(out.plus(q));
      for (const i of [0, 1, 2, 3]) {
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
