/**
 * Winograd's F(3,3) on tiles of 3x3 pixels: points 0, 1, -1, 2 and infinity, 25 components of 5x5 windows. One window serves
 * every kernel whose window starts at the same pixel modulo 3.
 */
import { define } from '../define.js';
import type { VecVar, Writer } from '../lang.js';
import { inverse, transform, windowsFrom } from './winograd.js';

type Five = [VecVar, VecVar, VecVar, VecVar, VecVar];

/** B^T of five values. */
function toComponents(w: Writer, values: readonly VecVar[]): VecVar[] {
  const [a, b, c, d, e] = values as Five;
  const t = w.vec(d.minus(b));
  const u = w.vec(d.minus(c));
  const b2 = w.vec(b.plus(b));
  return [
    t.plus(a).plus(a.minus(c).minus(c)),
    u.minus(b2),
    u.minus(c.plus(c)).plus(b2),
    t,
    e.minus(c).minus(t.plus(t)),
  ].map((x) => w.vec(x));
}

/** A^T of five values. */
function toPixels(w: Writer, values: readonly VecVar[]): VecVar[] {
  const [a, b, c, d, e] = values as Five;
  const sum = w.vec(b.plus(c));
  const difference = w.vec(b.minus(c));
  const d2 = w.vec(d.plus(d));
  return [a.plus(sum).plus(d), difference.plus(d2), sum.plus(d2.plus(d2)).plus(e)].map((x) => w.vec(x));
}

export const transform3 = define('transform3', (w, p) => {
  w.when(
    p.kind.equals(0),
    () => transform(w, p, windowsFrom(1, 5, 3), 3, toComponents),
    () => transform(w, p, windowsFrom(2, 5, 3), 3, toComponents),
  );
});

export const inverse3 = define('inverse3', (w, p) => inverse(w, p, 5, 3, toPixels));
