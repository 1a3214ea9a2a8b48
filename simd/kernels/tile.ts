/** The register tile of matrix products: 2 outputs by a number of vectors, all sums in the 15 registers that V8 allocates. */
import type { Int, Vec, VecVar, Writer } from '../lang.js';

/** Outputs of a tile. */
export const OUTPUTS = 2;

/** Vectors of a tile: 12 sums, 2 factors and 1 value with fused multiply-add; the product takes a register without. */
export const vectors = (w: Writer): number => (w.features.fma ? 6 : 4);

/** Pixels of a tile. */
export const wide = (w: Writer): number => 4 * vectors(w);

/** Bytes of a row of a panel: one value for each pixel of a tile. */
export const rowBytes = (w: Writer): number => 4 * wide(w);

/** Sums of a tile. */
export type Sums = VecVar[][];

export const sums = (w: Writer, value: (output: number, vector: number) => Vec): Sums =>
  Array.from({ length: OUTPUTS }, (_, c) => w.vecs(vectors(w), (v) => value(c, v)));

/** One turn of the product: one vector of weights, one row of values. */
export function accumulate(w: Writer, acc: Sums, weights: Int, values: Int): void {
  const factors = acc.map((_, c) => w.vec(w.splat(weights, 4 * c)));
  for (let v = 0; v < vectors(w); v++) {
    const value = w.vec(w.load(values, 16 * v));
    for (const [c, row] of acc.entries()) {
      const sum = row[v];
      const factor = factors[c];
      if (sum !== undefined && factor !== undefined) sum.set(w.fma(value, factor, sum));
    }
  }
}

/** Adds the products of `inner` rows of a panel, whose rows lie one behind the other. */
export function product(w: Writer, acc: Sums, panel: Int, weights: Int, inner: Int): void {
  const values = w.int(panel);
  const factor = w.int(weights);
  const end = w.int(factor.plus(inner.times(4 * OUTPUTS)));
  w.repeat(
    () => {
      accumulate(w, acc, factor, values);
      values.add(rowBytes(w));
      factor.add(4 * OUTPUTS);
    },
    () => factor.differs(end),
  );
}
