/** Matrix products: 1x1 convolutions on whole planes, and any convolution over lists of places. */
import { define } from '../define.js';
import { Int, type IntVar } from '../lang.js';
import { epilogueOf } from './epilogue.js';
import { OUTPUTS, wide as pixelsOf, product, rowBytes, sums, vectors } from './tile.js';

export const gemm = define('gemm', (w, p) => {
  const row = rowBytes(w);
  const wide = pixelsOf(w);
  const panelBytes = w.int(p.inner.times(row));
  // Panels packed at once: long runs for the prefetcher, yet in the first cache, and in PACKED_ROWS (src/engine/lower/packedProduct.ts).
  const most = w.int(
    Int.of(8).where(p.inner.below(33), Int.of(4).where(p.inner.below(65), Int.of(2).where(p.inner.below(129), 1))),
  );
  w.loop(0, p.planes, 1, (plane) => {
    const base = w.int(p.start.plus(plane.times(p.planeStride)));
    w.loop(0, p.length, most.times(wide), (at) => {
      const left = w.int(
        p.length
          .minus(at)
          .plus(wide - 1)
          .dividedBy(wide),
      );
      const panels = w.int(left.where(left.below(most), most));
      const place = w.int(base.plus(at.times(4)));
      w.loop(0, p.inner, 1, (k) => {
        const from = w.int(w.loadInt(p.channels.plus(k.times(4))).plus(place));
        const to = w.int(p.panel.plus(k.times(row)));
        w.loop(0, panels, 1, () => {
          for (let v = 0; v < vectors(w); v++) w.store(to, w.load(from, 16 * v), 16 * v);
          from.add(row);
          to.add(panelBytes);
        });
      });
      w.loop(0, p.outputs, OUTPUTS, (n) => {
        const weights = w.int(p.weights.plus(n.times(p.inner).times(4)));
        const first = w.int(p.out.plus(place).plus(n.times(p.outChannel)));
        const isPair = w.int(n.plus(1).below(p.outputs));
        const second = w.int(first.plus(p.outChannel).where(isPair, p.spill));
        const step = w.int(Int.of(row).where(isPair, 0));
        const values = w.int(p.panel);
        w.loop(0, panels, 1, () => {
          const places = [first, second];
          const acc = sums(w, () => w.const(0));
          w.when(p.accumulate, () => {
            for (const [c, place_] of places.entries())
              for (const [v, sum] of (acc[c] ?? []).entries()) sum.set(w.load(place_, 16 * v));
          });
          product(w, acc, values, weights, p.inner);
          for (const [c, place_] of places.entries()) {
            const finish = epilogueOf(w, p.epilogue, n.plus(c));
            for (const [v, sum] of (acc[c] ?? []).entries()) w.store(place_, finish(sum), 16 * v);
          }
          values.add(panelBytes);
          first.add(row);
          second.add(step);
        });
      });
    });
  });
});

/** Where the rows of a product go, and the list of places there. */
interface Row {
  readonly out: IntVar;
  readonly to: IntVar;
  readonly channel: IntVar;
}

export const gatherGemm = define('gatherGemm', (w, p) => {
  const row = rowBytes(w);
  const wide = pixelsOf(w);
  const inner = w.int(p.inputs.times(p.taps));
  w.loop(0, p.pixels, wide, (at) => {
    const values = w.int(p.panel);
    w.loop(0, p.taps, 1, (tap) => {
      const from = w.int(p.from.plus(tap.times(p.listLength).plus(at).times(4)));
      w.loop(0, p.inputs, 1, (k) => {
        const channel = w.int(w.loadInt(p.channels.plus(k.times(4))));
        for (let v = 0; v < vectors(w); v++) {
          const gathered = w.gather((lane) => channel.plus(w.loadInt(from, 16 * v + 4 * lane)));
          w.store(values, gathered, 16 * v);
        }
        values.add(row);
      });
    });
    w.loop(0, p.rows, OUTPUTS, (r) => {
      const target = (c: number): Row => {
        const index = w.int(r.plus(c));
        const channel = w.int(index.dividedBy(p.phases));
        const to = w.int(p.to.plus(index.modulo(p.phases).times(p.listLength).plus(at).times(4)));
        const place = w.int(p.out.plus(channel.times(p.outChannel)));
        return { out: place, to, channel };
      };
      const rows = [target(0), target(1)];
      const acc = sums(w, () => w.const(0));
      w.when(p.accumulate, () => {
        for (const [c, { out, to }] of rows.entries()) {
          for (const [v, sum] of (acc[c] ?? []).entries()) {
            sum.set(w.gather((lane) => out.plus(w.loadInt(to, 16 * v + 4 * lane))));
          }
        }
      });
      product(w, acc, p.panel, p.weights.plus(r.times(inner).times(4)), inner);
      for (const [c, { out, to, channel }] of rows.entries()) {
        const write = () => {
          const finish = epilogueOf(w, p.epilogue, channel);
          for (const [v, sum] of (acc[c] ?? []).entries()) {
            const value = w.vec(finish(sum));
            for (const lane of [0, 1, 2, 3]) {
              w.storeLane(out.plus(w.loadInt(to, 16 * v + 4 * lane)), value, lane);
            }
          }
        };
        if (c === 0) write();
        else w.when(r.plus(c).below(p.rows), write);
      }
    });
  });
});
