/** Winograd's F(4,3) on tiles of 4x4 pixels: points 0, 1, -1, 2, -2 and infinity, 36 components of 6x6 windows. */
import { define } from '../define.js';
import type { VecVar, Writer } from '../lang.js';
import { inverse, transform, windowsFrom } from './winograd.js';

type Six = [VecVar, VecVar, VecVar, VecVar, VecVar, VecVar];

/** B^T of six values. */
function toComponents(w: Writer, values: readonly VecVar[]): VecVar[] {
  const [a, b, c, d, e, f] = values as Six;
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
function toPixels(w: Writer, values: readonly VecVar[]): VecVar[] {
  const [a, b, c, d, e, f] = values as Six;
  const s = w.vec(b.plus(c));
  const t = w.vec(b.minus(c));
  const u = w.vec(d.plus(e));
  const v = w.vec(d.minus(e));
  const v2 = w.vec(v.plus(v));
  const u4 = w.vec(u.times(w.const(4)));
  return [a.plus(s).plus(u), t.plus(v2), s.plus(u4), t.plus(f).plus(v2.times(w.const(4)))].map((value) => w.vec(value));
}

export const transform4 = define('transform4', (w, p) => transform(w, p, windowsFrom(1, 6, 4), 4, toComponents));

export const inverse4 = define('inverse4', (w, p) => inverse(w, p, 6, 4, toPixels));
