/** Batch normalisation of maps with the channels last: rows of channels, four channels at a time, block by block of rows that stay in the cache. */
import { define } from '../define.js';
import type { Int, IntVar, Vec, Writer } from '../lang.js';

/** Rows that are summed in float32 before their sum goes into the one in float64. */
const BLOCK = 32;

/** Visits four channels of a block of rows: their offset in the map at the first row, and the number of rows. */
function eachBlock(
  w: Writer,
  p: Readonly<Record<'rows' | 'channels' | 'count', IntVar>>,
  visit: (c: IntVar, offset: IntVar, rows: IntVar) => void,
): void {
  w.loop(0, p.rows, BLOCK, (row) => {
    const left = w.int(p.rows.minus(row));
    const rows = w.int(left.where(left.below(BLOCK), BLOCK));
    w.loop(0, p.count, 4, (c) => {
      visit(c, w.int(row.times(p.channels).plus(c).times(4)), rows);
    });
  });
}

/** Visits a row after the other, by its offset in the map. */
function eachRow(
  w: Writer,
  channels: IntVar,
  { offset, rows }: { offset: IntVar; rows: IntVar },
  visit: () => void,
): void {
  const step = w.int(channels.times(4));
  w.loop(0, rows, 1, () => {
    visit();
    offset.add(step);
  });
}

/** Adds four sums to numbers in float64. */
function addTo(w: Writer, place: Int, sum: Vec): void {
  const at = w.int(place);
  w.storeDoubles(at, w.loadDoubles(at).plus(sum.toDoubles()));
  w.storeDoubles(at, w.loadDoubles(at, 16).plus(sum.shuffle(sum, [2, 3, 2, 3]).toDoubles()), 16);
}

export const rowSums = define('rowSums', (w, p) => {
  eachBlock(w, p, (c, offset, rows) => {
    const centre = w.vec(w.load(p.centre.plus(c.times(4))));
    const [sum, squares] = [w.vec(w.const(0)), w.vec(w.const(0))];
    eachRow(w, p.channels, { offset, rows }, () => {
      const x = w.vec(w.load(p.input.plus(offset)).minus(centre));
      sum.set(sum.plus(x));
      squares.set(w.fma(x, x, squares));
    });
    addTo(w, p.sums.plus(c.times(8)), sum);
    addTo(w, p.products.plus(c.times(8)), squares);
  });
});

export const rowAffine = define('rowAffine', (w, p) => {
  const zero = w.vec(w.const(0));
  const write = (finish: (y: Vec) => Vec) =>
    eachBlock(w, { ...p, count: p.channels }, (c, offset, rows) => {
      const place = w.int(c.times(4));
      const [centre, factor, shift] = [p.centre, p.factor, p.shift].map((of) => w.vec(w.load(of.plus(place))));
      if (centre === undefined || factor === undefined || shift === undefined) throw new Error('Three factors.');
      eachRow(w, p.channels, { offset, rows }, () => {
        const x = w.load(p.input.plus(offset)).minus(centre);
        w.store(p.out.plus(offset), finish(w.fma(x, factor, shift)));
      });
    });
  w.when(
    p.isRelu,
    () => write((y) => y.atLeast(zero)),
    () => write((y) => y),
  );
});

/** dy, or where `output` is given, dy where the output is above zero. */
const gradientAt = (
  w: Writer,
  p: Readonly<Record<'gradient' | 'output', IntVar>>,
  offset: Int,
  isMasked: boolean,
): Vec => {
  const dy = w.load(p.gradient.plus(offset));
  return isMasked ? dy.and(w.load(p.output.plus(offset)).greater(w.const(0))) : dy;
};

export const rowGradientSums = define('rowGradientSums', (w, p) => {
  const write = (isMasked: boolean) =>
    eachBlock(w, p, (c, offset, rows) => {
      const centre = w.vec(w.load(p.centre.plus(c.times(4))));
      const [sum, products] = [w.vec(w.const(0)), w.vec(w.const(0))];
      eachRow(w, p.channels, { offset, rows }, () => {
        const dy = w.vec(gradientAt(w, p, offset, isMasked));
        sum.set(sum.plus(dy));
        products.set(w.fma(dy, w.load(p.input.plus(offset)).minus(centre), products));
      });
      addTo(w, p.sums.plus(c.times(8)), sum);
      addTo(w, p.products.plus(c.times(8)), products);
    });
  w.when(
    p.isMasked,
    () => write(true),
    () => write(false),
  );
});

export const rowGradient = define('rowGradient', (w, p) => {
  const write = (isMasked: boolean) =>
    eachBlock(w, { ...p, count: p.channels }, (c, offset, rows) => {
      const place = w.int(c.times(4));
      const [centre, factor, slope, shift] = [p.centre, p.factor, p.slope, p.shift].map((of) =>
        w.vec(w.load(of.plus(place))),
      );
      if (centre === undefined || factor === undefined || slope === undefined || shift === undefined) {
        throw new Error('Four factors.');
      }
      eachRow(w, p.channels, { offset, rows }, () => {
        const x = w.load(p.input.plus(offset)).minus(centre);
        const dy = gradientAt(w, p, offset, isMasked);
        w.store(p.out.plus(offset), w.fma(dy, factor, w.fma(x, slope, shift)));
      });
    });
  w.when(
    p.isMasked,
    () => write(true),
    () => write(false),
  );
});
