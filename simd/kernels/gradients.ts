/** Gradients of filters: sums over all places of products of inputs and output gradients, in the transformed domain or direct. */
import { define } from '../define.js';
import type { Int, IntVar, Vec, VecVar, Writer } from '../lang.js';
import { eachOutputs } from './filters.js';

/** Sums of a b c d, one in each lane. */
function horizontal(a: Vec, b: Vec, c: Vec, d: Vec): Vec {
  const first = a.shuffle(b, [0, 4, 1, 5]).plus(a.shuffle(b, [2, 6, 3, 7]));
  const second = c.shuffle(d, [0, 4, 1, 5]).plus(c.shuffle(d, [2, 6, 3, 7]));
  return first.shuffle(second, [0, 1, 4, 5]).plus(first.shuffle(second, [2, 3, 6, 7]));
}

/**
 * Adds to `sums` the products of one or two outputs with rows of inputs, each at several neighbouring places (sections). All sums stay in
 * registers; one vector a turn, because two would spill them.
 */
function reduce(
  w: Writer,
  {
    rows,
    outputs,
    bytes,
    sums,
    sections,
  }: {
    rows: readonly IntVar[];
    outputs: readonly Int[];
    bytes: Int;
    sums: IntVar;
    sections: number;
  },
): void {
  const acc: VecVar[] = w.vecs(outputs.length * rows.length * sections, () => w.const(0));
  const outs = outputs.map((output) => w.int(output));
  const [lead] = outs;
  if (lead === undefined) throw new Error('A reduction has outputs.');
  const end = w.int(lead.plus(bytes));
  w.repeat(
    () => {
      const factors = outs.map((output) => w.vec(w.load(output)));
      for (const [j, row] of rows.entries()) {
        for (let x = 0; x < sections; x++) {
          const value = w.vec(w.load(row, 4 * x));
          for (const [o, factor] of factors.entries()) {
            const sum = acc[(o * rows.length + j) * sections + x];
            if (sum !== undefined) sum.set(w.fma(value, factor, sum));
          }
        }
      }
      for (const place of [...rows, ...outs]) place.add(16);
    },
    () => lead.differs(end),
  );
  for (let i = 0; i < acc.length; i += 4) {
    const [a, b, c, d] = acc.slice(i, i + 4);
    if (!a || !b || !c || !d) throw new Error('Sums are stored four at a time.');
    w.store(sums, w.load(sums).plus(horizontal(a, b, c, d)));
    sums.add(16);
  }
}

/** The sums that a block keeps in registers. */
interface Block {
  readonly sections: number;
  readonly rows: number;
  readonly outputs: 1 | 2;
}

/** 12 sums, or 8 where few rows would be padded much; a group of one output has blocks of its own. */
const BLOCKS: readonly Block[] = [
  { sections: 3, rows: 2, outputs: 2 },
  { sections: 2, rows: 3, outputs: 2 },
  { sections: 1, rows: 6, outputs: 2 },
  { sections: 1, rows: 4, outputs: 2 },
  { sections: 3, rows: 4, outputs: 1 },
  { sections: 2, rows: 4, outputs: 1 },
  { sections: 1, rows: 8, outputs: 1 },
];

/** Those of matrix products. */
const PRODUCT_BLOCKS = BLOCKS.filter(({ sections, outputs }) => sections === 1 && outputs === 2);

/** All rows of a list times all outputs. */
function reduceAll(
  w: Writer,
  block: Block,
  {
    list,
    end,
    base,
    output,
    outputStride,
    count,
    bytes,
    sums,
    skip,
  }: {
    list: Int;
    end: Int;
    base: Int;
    output: Int;
    outputStride: Int;
    count: Int;
    bytes: Int;
    sums: Int;
    skip?: Int;
  },
): void {
  const to = w.int(sums);
  const entry = w.int(list);
  w.repeat(
    () => {
      w.loop(0, count, block.outputs, (o) => {
        const outputs = [w.int(output.plus(o.times(outputStride)))];
        const [first] = outputs;
        // Where their number is odd, the last one stands for the one behind it.
        if (first !== undefined && block.outputs === 2) {
          outputs.push(w.int(first.plus(outputStride).where(o.plus(1).below(count), first)));
        }
        const rows = Array.from({ length: block.rows }, (_, j) => w.int(base.plus(w.loadInt(entry, 4 * j))));
        reduce(w, { rows, outputs, bytes, sums: to, sections: block.sections });
      });
      // The sums of outputs that another call computes.
      if (skip !== undefined) to.add(skip.times(4 * block.rows * block.sections));
      entry.add(4 * block.rows);
    },
    () => entry.differs(end),
  );
}

export const nestedGradient = define('nestedGradient', (w, p) => {
  const whole = w.int(p.length.plus(3).and(-4).times(4));
  const pass = w.int(p.pass.times(4));
  w.loop(0, p.count, 1, (k) => {
    const plan = w.int(p.plan.plus(k.times(24)));
    const sections = w.int(w.loadInt(plan, 8));
    const blockRows = w.int(w.loadInt(plan, 20));
    const common = {
      list: w.int(w.loadInt(plan)),
      end: w.int(w.loadInt(plan, 4)),
      outputStride: p.outputStride,
      count: p.outputCount,
      sums: w.int(p.sums.plus(w.loadInt(plan, 16))),
    };
    const base = w.int(p.components.plus(k.times(p.componentStride)).plus(w.loadInt(plan, 12)));
    const output = w.int(p.outputs.plus(k.times(p.outputComponent)));
    for (const block of BLOCKS) {
      w.when(sections.equals(block.sections).and(blockRows.equals(block.rows)), () => {
        if (block.sections > 1) reduceAll(w, block, { ...common, base, output, bytes: whole });
        else {
          // Where a row serves one product only, its values have to stay in the first cache.
          w.loop(0, whole, pass, (q) => {
            const left = w.int(whole.minus(q));
            const bytes = w.int(left.where(left.below(pass), pass));
            reduceAll(w, block, { ...common, base: base.plus(q), output: output.plus(q), bytes });
          });
        }
      });
    }
  });
});

/** A of F(3,3) and F(4,3): components of an output's gradient. */
const A = {
  3: [
    [1, 0, 0],
    [1, 1, 1],
    [1, -1, 1],
    [1, 2, 4],
    [0, 0, 1],
  ],
  4: [
    [1, 0, 0, 0],
    [1, 1, 1, 1],
    [1, -1, 1, -1],
    [1, 2, 4, 8],
    [1, -2, 4, -8],
    [0, 0, 0, 1],
  ],
} as const;

function combination(w: Writer, factors: readonly number[], values: readonly Vec[]): VecVar {
  let total: Vec | undefined;
  for (const [i, factor] of factors.entries()) {
    const value = values[i];
    if (factor === 0 || value === undefined) continue;
    const term = Math.abs(factor) === 1 ? value : value.times(w.const(Math.abs(factor)));
    if (total === undefined) total = factor < 0 ? term.negated() : term;
    else total = factor < 0 ? total.minus(term) : total.plus(term);
  }
  return w.vec(total ?? w.const(0));
}

const outputComponents = (tile: 3 | 4) =>
  define(`gradient${tile}`, (w, p) => {
    const matrix = A[tile];
    const whole = w.int(p.length.plus(3).and(-4).times(4));
    w.loop(0, p.count, 1, (c) => {
      const gradient = w.int(p.gradient.plus(c.times(p.gradientChannel)));
      const out = w.int(p.components.plus(c.times(p.outputStride)));
      w.loop(0, whole, 16, (q) => {
        const rows = Array.from({ length: tile }, (_, i) => {
          const values = Array.from({ length: tile }, (_, j) =>
            w.vec(w.load(gradient.plus(p.planeStride.times(i * tile + j)).plus(q))),
          );
          return matrix.map((factors) => combination(w, factors, values));
        });
        for (const j of matrix.keys()) {
          const column = rows.map((row) => row[j] as Vec);
          for (const [i, factors] of matrix.entries()) {
            const at = out.plus(p.componentStride.times(i * matrix.length + j)).plus(q);
            w.store(at, combination(w, factors, column));
          }
        }
      });
      // Tiles behind the band must not count.
      w.loop(0, matrix.length ** 2, 1, (k) => {
        const row = w.int(out.plus(k.times(p.componentStride)));
        w.loop(w.int(p.length.times(4)), whole, 4, (q) => w.storeLane(row.plus(q), w.const(0), 0));
      });
    });
  });

export const gradient3 = outputComponents(3);
export const gradient4 = outputComponents(4);

/** Quotients of numbers below 2^14 by 2, 3, 4, 6 and 8 are products with ceil(2^18 / divisor), shifted. */
const DIVISION_BITS = 18;

/** The transposed matrices G: taps of components. */
const TAPS = {
  5: [
    [1 / 2, -1 / 2, -1 / 6, 1 / 6, 0],
    [0, -1 / 2, 1 / 6, 1 / 3, 0],
    [0, -1 / 2, -1 / 6, 2 / 3, 1],
  ],
  6: [
    [1 / 4, -1 / 6, -1 / 6, 1 / 24, 1 / 24, 0],
    [0, -1 / 6, 1 / 6, 1 / 12, -1 / 12, 0],
    [0, -1 / 6, -1 / 6, 1 / 6, 1 / 6, 1],
  ],
} as const;

const unpackNested = (tile: 3 | 4) =>
  define(`unpackNested${tile}`, (w, p) => {
    const points = tile === 3 ? 5 : 6;
    const even = w.int(p.outputs.where(p.outputs.equals(1), p.outputs.plus(1).and(-2)));
    const entry = w.int(p.sections.times(8).plus(20));
    const isDense = w.int(p.outputStride.equals(4));
    eachOutputs(w, p, (o, i) => {
      const isWhole = w.int(o.plus(3).below(even));
      w.loop(0, p.sections, 1, (sy) => {
        w.loop(0, p.sections, 1, (sx) => {
          const table = w.int(p.table);
          const rows: VecVar[][] = [];
          for (let a = 0; a < points; a++) {
            const row: VecVar[] = [];
            for (let b = 0; b < points; b++) {
              const value = w.vec(w.const(0));
              const y = w.int(w.loadInt(table.plus(sy.times(4)), 20));
              const x = w.int(w.loadInt(table.plus(p.sections.plus(sx).times(4)), 20));
              w.when(y.differs(-1).and(x.differs(-1)), () => {
                const blockRows = w.int(w.loadInt(table, 4));
                const columns = w.int(w.loadInt(table, 8));
                const r = w.int(i.times(w.loadInt(table, 12)).plus(y));
                const block = w.int(blockRows.times(columns).times(4));
                // A division by multiplication, as one by hardware would take longer than all the rest.
                const whole = w.int(r.times(w.loadInt(table, 16)).shiftedRight(DIVISION_BITS));
                const start = p.sums
                  .plus(w.loadInt(table))
                  .plus(whole.times(even).plus(o).times(block))
                  .plus(r.minus(whole.times(blockRows)).times(columns).plus(x).times(4));
                const at = w.int(start);
                w.when(
                  isWhole,
                  () => value.set(w.gather((lane) => at.plus(block.times(lane)))),
                  () => {
                    // Of outputs that do not exist the sums of the last one are read.
                    const last = w.int(even.minus(o).minus(1));
                    value.set(w.gather((lane) => at.plus(w.int(last).where(last.below(lane), lane).times(block))));
                  },
                );
              });
              row.push(value);
              table.add(entry);
            }
            rows.push(row);
          }
          const columns = TAPS[points].map((factors) =>
            Array.from({ length: points }, (_, b) =>
              combination(
                w,
                factors,
                rows.map((row) => row[b] as Vec),
              ),
            ),
          );
          for (const [ty, column] of columns.entries()) {
            for (const [tx, factors] of TAPS[points].entries()) {
              const ky = w.int(sy.times(3).plus(ty).minus(p.lead));
              const kx = w.int(sx.times(3).plus(tx).minus(p.lead));
              const value = w.vec(combination(w, factors, column));
              w.when(ky.belowUnsigned(p.kernelSize).and(kx.belowUnsigned(p.kernelSize)), () => {
                const at = w.int(
                  p.gradient
                    .plus(ky.times(p.rowStride))
                    .plus(kx.times(p.columnStride))
                    .plus(i.times(p.inputStride))
                    .plus(o.times(p.outputStride)),
                );
                w.when(
                  isDense.and(o.plus(3).below(p.outputs)),
                  () => w.store(at, w.load(at).plus(value)),
                  () => {
                    for (const lane of [0, 1, 2, 3]) {
                      w.when(o.plus(lane).below(p.outputs), () => {
                        const spread = value.shuffle(value, [lane, lane, lane, lane]);
                        w.storeLane(at, w.loadFirst(at).plus(spread), 0);
                      });
                      at.add(p.outputStride);
                    }
                  },
                );
              });
            }
          }
        });
      });
    });
  });

export const unpackNested3 = unpackNested(3);
export const unpackNested4 = unpackNested(4);

export const gemmGradient = define('gemmGradient', (w, p) => {
  const whole = w.int(p.length.plus(3).and(-4).times(4));
  const pass = w.int(p.pass.times(4));
  const end = w.int(p.channels.plus(p.rows.times(4)));
  const skip = w.int(p.sumOutputs.minus(p.outputs.plus(1).and(-2)));
  w.loop(0, p.planes, 1, (plane) => {
    w.loop(0, whole, pass, (q) => {
      const left = w.int(whole.minus(q));
      const bytes = w.int(left.where(left.below(pass), pass));
      const base = w.int(p.start.plus(plane.times(p.planeStride)).plus(q));
      for (const block of PRODUCT_BLOCKS) {
        w.when(p.block.equals(block.rows), () => {
          reduceAll(w, block, {
            list: p.channels,
            end,
            base,
            output: p.gradient.plus(base),
            outputStride: p.gradientChannel,
            count: p.outputs,
            bytes,
            sums: p.sums,
            skip,
          });
        });
      }
    });
  });
});

export const gatherGradient = define('gatherGradient', (w, p) => {
  const wide = w.int(p.panelRow.dividedBy(4));
  const listEnd = w.int(p.offsets.plus(p.rows.times(4)));
  const skip = w.int(p.sumOutputs.minus(p.outputs.plus(1).and(-2)));
  const outputs = w.int(p.panel.plus(p.inputs.times(p.taps).times(p.panelRow)));
  const copy = (channel: Int, from: Int, to: Int, count: Int) =>
    w.loop(0, count, 4, (j) => {
      const entry = w.int(from.plus(j.times(4)));
      w.store(
        to.plus(j.times(4)),
        w.gather((lane) => channel.plus(w.loadInt(entry, 4 * lane))),
      );
    });
  w.loop(0, p.pixels, wide, (at) => {
    const left = w.int(p.pixels.minus(at));
    const count = w.int(left.where(left.below(wide), wide));
    const to = w.int(p.panel);
    w.loop(0, p.taps, 1, (tap) => {
      const from = w.int(p.from.plus(tap.times(p.listLength).plus(at).times(4)));
      w.loop(0, p.inputs, 1, (k) => {
        copy(w.int(w.loadInt(p.channels.plus(k.times(4)))), from, to, count);
        to.add(p.panelRow);
      });
    });
    const places = w.int(p.to.plus(at.times(4)));
    w.loop(0, p.outputs, 1, (o) => {
      copy(w.int(p.gradient.plus(o.times(p.gradientChannel))), places, to, count);
      to.add(p.panelRow);
    });
    for (const block of PRODUCT_BLOCKS) {
      w.when(p.block.equals(block.rows), () => {
        reduceAll(w, block, {
          list: p.offsets,
          end: listEnd,
          base: p.panel,
          output: outputs,
          outputStride: p.panelRow,
          count: p.outputs,
          bytes: w.int(count.plus(3).and(-4).times(4)),
          sums: p.sums,
          skip,
        });
      });
    }
  });
});

export const unpackGemm = define('unpackGemm', (w, p) => {
  const row = w.int(p.block.times(4));
  w.loop(0, p.taps, 1, (tap) => {
    const place = w.int(p.gradient.plus(w.loadInt(p.tapPlaces.plus(tap.times(4)))));
    w.loop(0, p.inputs, 1, (i) => {
      const r = w.int(tap.times(p.inputs).plus(i));
      const sums = w.int(
        p.sums.plus(r.dividedBy(p.block).times(p.sumOutputs).times(row)).plus(r.modulo(p.block).times(4)),
      );
      const to = w.int(place.plus(i.times(p.inputStride)));
      w.loop(0, p.outputs, 1, () => {
        w.storeLane(to, w.loadFirst(to).plus(w.loadFirst(sums)), 0);
        sums.add(row);
        to.add(p.outputStride);
      });
    });
  });
});
