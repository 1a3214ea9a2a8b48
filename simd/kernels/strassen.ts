/**
 * Matrix products by Strassen's algorithm in Winograd's form: outputs, inputs and pixels in two halves each, seven products of
 * quarters instead of eight. The halves of the pixels are two register tiles side by side, so that the sums of quarters stay in
 * registers and the first cache: of pixels when the panels are packed, of results between the products.
 *
 *     M1 = A11 B11   M2 = A12 B21   M3 = S4 B22   M4 = -A22 T4   M5 = S1 T1   M6 = S2 T2   M7 = S3 T3
 *     S1 = A21 + A22   S2 = S1 - A11   S3 = A11 - A21   S4 = A12 - S2
 *     T1 = B12 - B11   T2 = B22 - T1   T3 = B22 - B12   T4 = T2 - B21
 *     C11 = M1 + M2   C21 = M1 + M6 + M7 + M4   C22 = M1 + M6 + M7 + M5   C12 = M1 + M6 + M5 + M3
 *
 * A single register tile behind the last pair has no second column: C21 = S1 B11 - A22 (B11 - B21), four products as ever.
 */
import { define } from '../define.js';
import type { Int, IntVar, Vec, VecVar, Writer } from '../lang.js';
import { epilogueOf } from './epilogue.js';
import { OUTPUTS, product, rowBytes, type Sums, sums, vectors, wide } from './tile.js';

/** Weights and panels of the products lie in the order in which they are multiplied. */
const M1 = 0;
const M2 = 1;
const M6 = 2;
const M7 = 3;
const M4 = 4;
const M5 = 5;
const M3 = 6;
const PRODUCTS = 7;

/** The panels of a pair of register tiles, one a product, and half as many rows as there are inputs. */
interface Panels {
  readonly place: IntVar;
  readonly rows: IntVar;
  readonly bytes: IntVar;
}

/** One vector of two inputs, one of each half, into the panels; `load`: a vector of an input by its bytes from the first pixel. */
type Load = (half: 0 | 1, offset: number) => Vec;

/** Packs one row of all panels: the input of the first half and the one of the second that is multiplied beside it. */
function packRow(w: Writer, { place, bytes }: Panels, row: IntVar, hasRight: Int, load: Load): void {
  const to = w.int(place.plus(row.times(rowBytes(w))));
  const panels = Array.from({ length: PRODUCTS }, (_, m) => w.int(to.plus(bytes.times(m))));
  const store = (m: number, value: Vec, offset: number) => {
    const panel = panels[m];
    if (panel !== undefined) w.store(panel, value, offset);
  };
  const first = (offset: number): [VecVar, VecVar] => {
    const [b11, b21] = [w.vec(load(0, offset)), w.vec(load(1, offset))];
    store(M1, b11, offset);
    store(M2, b21, offset);
    return [b11, b21];
  };
  const offsets = Array.from({ length: vectors(w) }, (_, v) => 16 * v);
  w.when(
    hasRight,
    () => {
      for (const offset of offsets) {
        const [b11, b21] = first(offset);
        const [b12, b22] = [w.vec(load(0, offset + rowBytes(w))), w.vec(load(1, offset + rowBytes(w)))];
        const t1 = w.vec(b12.minus(b11));
        const t2 = w.vec(b22.minus(t1));
        store(M6, t2, offset);
        store(M7, b22.minus(b12), offset);
        store(M4, t2.minus(b21), offset);
        store(M5, t1, offset);
        store(M3, b22, offset);
      }
    },
    () => {
      for (const offset of offsets) {
        const [b11, b21] = first(offset);
        store(M4, b11.minus(b21), offset);
      }
    },
  );
}

/** The products of one pair of outputs of either half. */
interface Operands {
  readonly panels: Panels;
  readonly weights: IntVar;
  /** Bytes of the weights of one product. */
  readonly weightBytes: IntVar;
  /** Room for three register tiles. */
  readonly spill: IntVar;
}

/** What becomes of the sums of two outputs, of the upper half or the lower one, and of the left tile or the right one. */
type Finish = (acc: Sums, isLower: boolean, isRight: boolean) => void;

function products(w: Writer, { panels, weights, weightBytes, spill }: Operands, hasRight: Int, finish: Finish): void {
  const acc = sums(w, () => w.const(0));
  const each = (act: (sum: VecVar, place: number) => void) => {
    for (const [c, row] of acc.entries()) for (const [v, sum] of row.entries()) act(sum, 16 * (c * vectors(w) + v));
  };
  const tile = OUTPUTS * rowBytes(w);
  const clear = () => each((sum) => sum.set(w.const(0)));
  const keep = (at: number) => each((sum, place) => w.store(spill, sum, at * tile + place));
  const take = (at: number) => each((sum, place) => sum.set(w.load(spill, at * tile + place)));
  const add = (at: number) => each((sum, place) => sum.set(sum.plus(w.load(spill, at * tile + place))));
  const multiply = (m: number, panel = m) => {
    product(w, acc, panels.place.plus(panels.bytes.times(panel)), weights.plus(weightBytes.times(m)), panels.rows);
  };
  multiply(M1);
  w.when(hasRight, () => keep(0));
  multiply(M2);
  finish(acc, false, false);
  w.when(
    hasRight,
    () => {
      take(0);
      multiply(M6);
      keep(0);
      multiply(M7);
      keep(1);
      multiply(M4);
      finish(acc, true, false);
      clear();
      multiply(M5);
      keep(2);
      add(1);
      finish(acc, true, true);
      take(2);
      add(0);
      multiply(M3);
      finish(acc, false, true);
    },
    () => {
      clear();
      multiply(M5, M1);
      multiply(M4);
      finish(acc, true, false);
    },
  );
}

export const strassen = define('strassen', (w, p) => {
  const half = w.int(p.inner.shiftedRight(1));
  const panels: Panels = { place: p.panel, rows: half, bytes: w.int(half.times(rowBytes(w))) };
  const weightBytes = w.int(half.times(4 * OUTPUTS));
  w.loop(0, p.planes, 1, (plane) => {
    const base = w.int(p.start.plus(plane.times(p.planeStride)));
    w.loop(0, p.length, 2 * wide(w), (at) => {
      const place = w.int(base.plus(at.times(4)));
      const hasRight = w.int(at.plus(wide(w)).below(p.length));
      w.loop(0, half, 1, (k) => {
        const input = (channel: Int) => w.int(w.loadInt(p.channels.plus(channel.times(4))).plus(place));
        const [first, second] = [input(k), input(w.int(k.plus(half)))];
        packRow(w, panels, k, hasRight, (which, offset) => w.load(which === 0 ? first : second, offset));
      });
      const weights = w.int(p.weights);
      w.loop(0, p.pairs, 1, (pair) => {
        products(w, { panels, weights, weightBytes, spill: p.spill }, hasRight, (acc, isLower, isRight) => {
          for (const [c, row] of acc.entries()) {
            const channel = w.int(pair.times(OUTPUTS).plus(c));
            if (isLower) channel.add(p.lower);
            const to = w.int(p.out.plus(place).plus(channel.times(p.outChannel)));
            if (isRight) to.add(rowBytes(w));
            w.when(p.accumulate, () => {
              for (const [v, sum] of row.entries()) sum.set(sum.plus(w.load(to, 16 * v)));
            });
            const ended = epilogueOf(w, p.epilogue, channel);
            for (const [v, sum] of row.entries()) w.store(to, ended(sum), 16 * v);
          }
        });
        weights.add(weightBytes.times(PRODUCTS));
      });
    });
  });
});

export const gatherStrassen = define('gatherStrassen', (w, p) => {
  const half = w.int(p.inputs.shiftedRight(1));
  const panels: Panels = { place: p.panel, rows: half, bytes: w.int(half.times(rowBytes(w))) };
  const weightBytes = w.int(half.times(4 * OUTPUTS));
  const phaseBytes = w.int(p.lower.dividedBy(OUTPUTS).times(weightBytes).times(PRODUCTS));
  w.loop(0, p.pixels, 2 * wide(w), (at) => {
    const hasRight = w.int(at.plus(wide(w)).below(p.pixels));
    const from = w.int(p.from.plus(at.times(4)));
    w.loop(0, half, 1, (k) => {
      const input = (channel: Int) => w.int(w.loadInt(p.channels.plus(channel.times(4))));
      const [first, second] = [input(k), input(w.int(k.plus(half)))];
      packRow(w, panels, k, hasRight, (which, offset) =>
        w.gather((lane) => (which === 0 ? first : second).plus(w.loadInt(from, offset + 4 * lane))),
      );
    });
    w.loop(0, p.phases, 1, (phase) => {
      const to = w.int(p.to.plus(phase.times(p.listLength).plus(at).times(4)));
      const weights = w.int(p.weights.plus(phase.times(phaseBytes)));
      w.loop(0, p.pairs, 1, (pair) => {
        products(w, { panels, weights, weightBytes, spill: p.spill }, hasRight, (acc, isLower, isRight) => {
          for (const [c, row] of acc.entries()) {
            const channel = w.int(pair.times(OUTPUTS).plus(c));
            if (isLower) channel.add(p.lower);
            const out = w.int(p.out.plus(channel.times(p.outChannel)));
            const places = isRight ? w.int(to.plus(rowBytes(w))) : to;
            const place = (v: number, lane: number) => out.plus(w.loadInt(places, 16 * v + 4 * lane));
            // A place that fills up the list stands there several times: nothing is written before all is read.
            w.when(p.accumulate, () => {
              for (const [v, sum] of row.entries()) sum.set(sum.plus(w.gather((lane) => place(v, lane))));
            });
            const ended = epilogueOf(w, p.epilogue, channel);
            for (const [v, sum] of row.entries()) {
              const value = w.vec(ended(sum));
              for (const lane of [0, 1, 2, 3]) w.storeLane(place(v, lane), value, lane);
            }
          }
        });
        weights.add(weightBytes.times(PRODUCTS));
      });
    });
  });
});

export const packStrassen = define('packStrassen', (w, p) => {
  const pairBytes = w.int(p.inner.times(4 * OUTPUTS));
  const halfBytes = w.int(pairBytes.shiftedRight(1));
  w.loop(0, p.pairs, 1, (pair) => {
    const from = w.int(p.product.plus(pair.times(pairBytes)));
    const to = w.int(p.weights.plus(pair.times(halfBytes).times(PRODUCTS)));
    w.loop(0, halfBytes, 16, (k) => {
      const upper = w.int(from.plus(k));
      const lower = w.int(upper.plus(p.lowerBytes));
      const a11 = w.vec(w.load(upper));
      const a12 = w.vec(w.load(upper.plus(halfBytes)));
      const a21 = w.vec(w.load(lower));
      const a22 = w.vec(w.load(lower.plus(halfBytes)));
      const s1 = w.vec(a21.plus(a22));
      const s2 = w.vec(s1.minus(a11));
      const store = (m: number, value: Vec) => w.store(to.plus(halfBytes.times(m)).plus(k), value);
      store(M1, a11);
      store(M2, a12);
      store(M6, s2);
      store(M7, a11.minus(a21));
      store(M4, a22.negated());
      store(M5, s1);
      store(M3, a12.minus(s2));
    });
  });
});
