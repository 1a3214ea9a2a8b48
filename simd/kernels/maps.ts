/** Maps as a whole: into tiles and out of them, margins, sums, products and activations. */
import { define } from '../define.js';
import type { Int, IntVar, Vec, Writer } from '../lang.js';
import { epilogueOf } from './epilogue.js';

export const zeroMargins = define('zeroMargins', (w, p) => {
  const tile = p.tile;
  const zero = w.const(0);
  const clear = (from: Int, size: Int) => {
    const bytes = w.int(size);
    const whole = w.int(bytes.and(-16));
    w.loop(0, whole, 16, (q) => w.store(from.plus(q), zero));
    w.loop(whole, bytes, 4, (q) => w.storeLane(from.plus(q), zero, 0));
  };
  const pitch = w.int(p.pitch.times(4));
  w.loop(0, p.count, 1, (c) => {
    w.loop(0, tile, 1, (i) => {
      w.loop(0, tile, 1, (j) => {
        const plane = w.int(p.map.plus(c.times(p.channelStride)).plus(i.times(tile).plus(j).times(p.planeStride)));
        const columns = w.int(p.width.minus(j).plus(tile).minus(1).dividedBy(tile));
        const rows = w.int(p.height.minus(i).plus(tile).minus(1).dividedBy(tile));
        const end = w.int(p.first.plus(rows.times(pitch)));
        clear(w.int(plane.plus(p.begin)), p.first.minus(p.begin));
        w.loop(0, rows, 1, (y) => {
          const row = w.int(plane.plus(p.first).plus(y.times(pitch)));
          w.loop(columns, p.pitch, 1, (x) => w.storeLane(row.plus(x.times(4)), zero, 0));
        });
        clear(w.int(plane.plus(end)), p.end.minus(end));
      });
    });
  });
});

/** Channel by channel along whole channels. */
function eachVector(
  w: Writer,
  { length, count }: { length: Int; count: IntVar },
  channel: (c: IntVar) => (q: IntVar) => void,
): void {
  const bytes = w.int(length.times(4));
  w.loop(0, count, 1, (c) => {
    const visit = channel(c);
    w.loop(0, bytes, 16, visit);
  });
}

export const affine = define('affine', (w, p) => {
  eachVector(w, p, (c) => {
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const out = w.int(p.out.plus(c.times(p.outChannel)));
    const finish = epilogueOf(w, p.epilogue, c);
    return (q) => w.store(out.plus(q), finish(w.load(input.plus(q))));
  });
});

const combine = (name: 'sum' | 'product', operation: (a: Vec, b: Vec) => Vec) =>
  define(name, (w, p) => {
    eachVector(w, p, (c) => {
      const a = w.int(p.a.plus(c.times(p.aChannel)));
      const b = w.int(p.b.plus(c.times(p.bChannel)));
      const out = w.int(p.out.plus(c.times(p.outChannel)));
      const finish = epilogueOf(w, p.epilogue, c);
      return (q) => w.store(out.plus(q), finish(operation(w.load(a.plus(q)), w.load(b.plus(q)))));
    });
  });

export const sum = combine('sum', (a, b) => a.plus(b));
export const product = combine('product', (a, b) => a.times(b));

/** exp with a relative error of 2e-7: a power of two by the exponent's bits, the rest by Cephes' polynomial. */
function exp(w: Writer, value: Vec): Vec {
  const x = w.vec(value.atLeast(w.const(-87)).atMost(w.const(88)));
  const n = w.vec(x.times(w.const(Math.LOG2E)).nearest());
  const r = w.vec(x.minus(n.times(w.const(0.693359375))).minus(n.times(w.const(-2.1219444e-4))));
  const p = w.vec(w.const(1.98756915e-4));
  for (const c of [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 0.16666665459, 0.50000001201]) {
    p.set(p.times(r).plus(w.const(c)));
  }
  const mantissa = p.times(r).times(r).plus(r).plus(w.const(1));
  return w.vec(mantissa.times(n.exponent()));
}

export const sigmoid = define('sigmoid', (w, p) => {
  eachVector(w, p, (c) => {
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const out = w.int(p.out.plus(c.times(p.outChannel)));
    return (q) => {
      const e = exp(w, w.load(input.plus(q)).negated());
      w.store(out.plus(q), w.const(1).dividedBy(w.const(1).plus(e)));
    };
  });
});

export const softmax = define('softmax', (w, p) => {
  w.loop(0, w.int(p.length.times(4)), 16, (q) => {
    const input = w.int(p.input.plus(q));
    const largest = w.vec(w.load(input));
    w.loop(1, p.count, 1, (c) => largest.set(largest.atLeast(w.load(input.plus(c.times(p.inputChannel))))));
    const total = w.vec(w.const(0));
    const out = w.int(p.out.plus(q));
    w.loop(0, p.count, 1, (c) => {
      const e = exp(w, w.load(input.plus(c.times(p.inputChannel))).minus(largest));
      total.set(total.plus(e));
      w.store(out.plus(c.times(p.outChannel)), e);
    });
    w.loop(0, p.count, 1, (c) => {
      const place = w.int(out.plus(c.times(p.outChannel)));
      w.store(place, w.load(place).dividedBy(total));
    });
  });
});
