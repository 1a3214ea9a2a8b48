/** Sums of products in the transformed domain, over lists of offsets (inputs x sections): the inner loop of a matrix product. */
import { define } from '../define.js';
import type { IntVar, VecVar, Writer } from '../lang.js';
import { accumulate, OUTPUTS, sums, vectors } from './tile.js';

export const nested = define('nested', (w, p) => {
  const wide = 16 * vectors(w);
  const length = w.int(p.length.times(4));
  w.loop(0, p.count, 1, (k) => {
    const plan = w.int(p.plan.plus(k.times(20)));
    const first = w.int(w.loadInt(plan));
    const end = w.int(w.loadInt(plan, 4));
    const filters = w.int(p.weights.plus(w.loadInt(plan, 8)));
    const perOutput = w.int(w.loadInt(plan, 12));
    const perSum = w.int(w.loadInt(plan, 16));
    const component = w.int(p.components.plus(k.times(p.componentStride)));
    const sumPlace = w.int(p.sums.plus(k.times(p.sumComponent)));
    const isBegun = w.int(p.accumulate);
    // Sum by sum: the filters of one stay in the second cache while all tiles take them, its components of a tile in the first.
    w.repeat(
      () => {
        const left = w.int(end.minus(first));
        const stop = w.int(first.plus(left.where(left.below(p.summed), p.summed)));
        w.loop(0, length, wide, (q) => {
          const values = w.int(component.plus(q));
          w.loop(0, p.outputs, OUTPUTS, (n) => {
            const place = w.int(sumPlace.plus(q).plus(n.times(p.sumOutput)));
            const places = [place, w.int(place.plus(p.sumOutput))];
            const acc = sums(w, () => w.const(0));
            const weights = w.int(filters.plus(n.times(perOutput)));
            const offset = w.int(first);
            w.repeat(
              () => {
                accumulate(w, acc, weights, w.int(values.plus(w.loadInt(offset))));
                weights.add(4 * OUTPUTS);
                offset.add(4);
              },
              () => offset.differs(stop),
            );
            w.when(isBegun, () => {
              for (const [c, at] of places.entries())
                for (const [v, sum] of (acc[c] ?? []).entries()) sum.set(sum.plus(w.load(at, 16 * v)));
            });
            for (const [c, at] of places.entries())
              for (const [v, sum] of (acc[c] ?? []).entries()) w.store(at, sum, 16 * v);
          });
        });
        isBegun.set(1);
        first.set(stop);
        filters.add(perSum);
      },
      () => first.differs(end),
    );
  });
});

/** Tile rows computed at once where a group has one output. */
const rowsOf = (w: Writer): number => (w.features.fma ? 5 : 4);

export const nestedRows = define('nestedRows', (w, p) => {
  const rows = rowsOf(w);
  const pitch = w.int(p.pitch.times(4));
  const length = w.int(p.length.times(4));
  const write = (
    sections: number,
    place: { list: IntVar; end: IntVar; filters: IntVar; values: IntVar; sumPlace: IntVar },
  ) => {
    w.loop(0, length, pitch.times(rows), (t) => {
      w.loop(0, pitch, 32, (x) => {
        const acc: VecVar[][] = Array.from({ length: rows }, () => w.vecs(2, () => w.const(0)));
        const weights = w.int(place.filters);
        const values = w.int(place.values.plus(t).plus(x));
        const offset = w.int(place.list);
        w.repeat(
          () => {
            const row = w.int(values.plus(w.loadInt(offset)));
            const factors = w.vecs(sections, (s) => w.splat(weights, 4 * s));
            for (let j = 0; j < rows + sections - 1; j++) {
              const pair = w.vecs(2, (v) => w.load(row, 16 * v));
              row.add(pitch);
              for (const [s, factor] of factors.entries()) {
                for (const [v, sum] of (acc[j - s] ?? []).entries()) {
                  const value = pair[v];
                  if (value !== undefined) sum.set(w.fma(value, factor, sum));
                }
              }
            }
            weights.add(4 * sections);
            offset.add(4);
          },
          () => offset.differs(place.end),
        );
        const to = w.int(place.sumPlace.plus(t).plus(x));
        for (const row of acc) {
          for (const [v, sum] of row.entries()) w.store(to, sum, 16 * v);
          to.add(pitch);
        }
      });
    });
  };
  w.loop(0, p.count, 1, (k) => {
    const plan = w.int(p.plan.plus(k.times(20)));
    const sections = w.int(w.loadInt(plan, 12));
    const place = {
      list: w.int(w.loadInt(plan)),
      end: w.int(w.loadInt(plan, 4)),
      filters: w.int(p.weights.plus(w.loadInt(plan, 8))),
      values: w.int(p.components.plus(k.times(p.componentStride)).plus(w.loadInt(plan, 16))),
      sumPlace: w.int(p.sums.plus(k.times(p.sumComponent))),
    };
    w.when(
      sections.equals(3),
      () => write(3, place),
      () =>
        w.when(
          sections.equals(2),
          () => write(2, place),
          () => write(1, place),
        ),
    );
  });
});
