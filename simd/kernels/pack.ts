/** Filters in the order in which the products read them, and in the transformed domain. */
import { define } from '../define.js';
import type { Int, IntVar, Vec, Writer } from '../lang.js';
import { eachOutputs } from './filters.js';

export const packGemm = define('packGemm', (w, p) => {
  const address = (row: Int): IntVar =>
    w.int(p.filter.plus(row.dividedBy(p.phases).times(p.rowStride)).plus(row.modulo(p.phases).times(p.phaseStride)));
  const factor = (row: Int): Int => p.scale.plus(row.dividedBy(p.phases).times(4));
  const out = w.int(p.weights);
  w.loop(0, p.rows, 2, (r) => {
    const second = w.int(r.plus(1));
    const isPair = w.int(second.below(p.rows));
    w.when(isPair.equals(0), () => second.set(r));
    const scale = w.vec(w.loadFirst(factor(r)));
    // The second row of the last pair may not exist: its weights are zeros.
    w.when(isPair, () => scale.set(w.loadLane(scale, 1, factor(second))));
    const [a, b] = [address(r), address(second)];
    w.loop(0, p.taps, 1, (tap) => {
      const shift = w.int(w.loadInt(p.tapPlaces.plus(tap.times(4))));
      w.loop(0, p.inputs, 1, () => {
        const pair = w.loadLane(w.loadFirst(a.plus(shift)), 1, b.plus(shift));
        w.storePair(out, pair.times(scale), 0);
        shift.add(p.inputStride);
        out.add(8);
      });
    });
  });
});

/** G of F(3,3) and F(4,3): rows of the components, columns of the taps. */
const G = {
  5: [
    [1 / 2, 0, 0],
    [-1 / 2, -1 / 2, -1 / 2],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 6, 1 / 3, 2 / 3],
    [0, 0, 1],
  ],
  6: [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
  ],
} as const;

/** The sum of three vectors with known factors. */
function combination(w: Writer, factors: readonly number[], values: readonly Vec[]): Vec {
  const terms = factors.flatMap((factor, i) => {
    const value = values[i];
    if (factor === 0 || value === undefined) return [];
    return [factor === 1 ? value : value.times(w.const(factor))];
  });
  return w.vec(terms.reduce((total, term) => total.plus(term)));
}

/** A component of the filters that are packed: where its weights begin, 0 where a section has none, and the bytes from input to input. */
interface Component {
  readonly start: IntVar;
  readonly step: IntVar;
}

const packNested = (tile: 3 | 4) =>
  define(`packNested${tile}`, (w, p) => {
    const points = tile === 3 ? 5 : 6;
    const entry = w.int(p.sections.times(p.sections).plus(2).times(4));
    const isPair = w.int(p.block.equals(2));
    const isDense = w.int(p.outputStride.equals(4));
    const last = w.int(p.outputs.minus(1));
    w.loop(0, p.sections, 1, (sy) => {
      w.loop(0, p.sections, 1, (sx) => {
        const section = w.int(sy.times(p.sections).plus(sx).plus(2).times(4));
        const table = w.int(p.table);
        const components = Array.from({ length: points ** 2 }, (): Component => {
          const position = w.int(w.loadInt(table.plus(section)));
          const start = w.int(p.weights.plus(w.loadInt(table)).plus(position).where(position.differs(-1), 0));
          const step = w.int(w.loadInt(table, 4));
          table.add(entry);
          return { start, step };
        });
        const taps = [0, 1, 2].map((a) =>
          [0, 1, 2].map((b) => {
            const y = w.int(sy.times(3).plus(a).minus(p.lead));
            const x = w.int(sx.times(3).plus(b).minus(p.lead));
            const isInside = w.int(y.belowUnsigned(p.kernelSize).and(x.belowUnsigned(p.kernelSize)));
            return { isInside, shift: w.int(y.times(p.rowStride).plus(x.times(p.columnStride))) };
          }),
        );
        eachOutputs(w, p, (o, i) => {
          const scale = w.vec(w.load(p.scale.plus(o.times(4))));
          // Lanes behind the last output read the last one; their factor is 0.
          const lanes = [0, 1, 2, 3].map((lane) => {
            const output = w.int(o.plus(lane));
            return w.int(
              p.filter.plus(output.where(output.below(last), last).times(p.outputStride)).plus(i.times(p.inputStride)),
            );
          });
          const isWhole = w.int(isDense.and(o.plus(3).below(p.outputs)));
          // Inputs of all pairs of outputs before this one; a single output is the first one.
          const input = w.int(o.shiftedRight(1).times(p.inputs).plus(i));
          const hasNext = w.int(o.plus(2).below(p.outputs));
          const values = taps.map((row) =>
            row.map(({ isInside, shift }) => {
              const tap = w.vec(w.const(0));
              w.when(isInside, () =>
                w.when(
                  isWhole,
                  () => tap.set(w.load((lanes[0] as IntVar).plus(shift)).times(scale)),
                  () => tap.set(w.gather((lane) => (lanes[lane] as IntVar).plus(shift)).times(scale)),
                ),
              );
              return tap;
            }),
          );
          const rows = G[points].map((factors) =>
            [0, 1, 2].map((b) =>
              combination(
                w,
                factors,
                values.map((row) => row[b] as Vec),
              ),
            ),
          );
          for (const [k, { start, step }] of components.entries()) {
            const factors = G[points][k % points] as readonly number[];
            const value = w.vec(combination(w, factors, rows[Math.floor(k / points)] as Vec[]));
            // A section whose taps are all zero in this component is not listed.
            w.when(start, () => {
              const at = w.int(start.plus(step.times(input)));
              w.when(
                isPair,
                () => {
                  w.storePair(at, value, 0);
                  w.when(hasNext, () => w.storePair(at.plus(step.times(p.inputs)), value, 1));
                },
                () => w.storeLane(at, value, 0),
              );
            });
          }
        });
      });
    });
  });

export const packNested3 = packNested(3);
export const packNested4 = packNested(4);
