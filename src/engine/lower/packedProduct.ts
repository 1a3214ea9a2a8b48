/** The weights of matrix products in the order in which these read them, and the memory that they take. */
import type { Place, Program } from '../program.js';
import { roundUp } from '../tiles.js';
import type { PackPlaces } from '../weights.js';
import type { Lowering } from './context.js';
import type { FilterAccess } from './filters.js';

/** Bytes of the panel into which the rows of a product are copied. */
export const panelBytes = ({ wide }: Lowering, inner: number): number => 4 * inner * wide + 256;

/** Rows of the panels that gemm packs at once: several of few inputs (simd/kernels/gemm.ts). */
const PACKED_ROWS = 256;

/** Bytes of the panels of a product on whole planes. */
export const planePanelBytes = (lowering: Lowering, inner: number): number =>
  panelBytes(lowering, Math.max(PACKED_ROWS, inner));

/** Filters of a product: its rows are the outputs of each phase. */
export interface ProductFilters {
  readonly rows: number;
  readonly inputs: number;
  /** Offsets of the taps. */
  readonly taps: readonly number[];
  /** Bytes between the taps of the rows of one output; 1 row an output where empty. */
  readonly phases: readonly number[];
}

/** Packs filters for the taps at the given offsets, in the order of the products. */
export function packProduct(
  program: Program,
  places: PackPlaces,
  access: Pick<FilterAccess, 'base' | 'input' | 'output'>,
  { rows, inputs, taps, phases }: ProductFilters,
  weights: Place,
): void {
  const [start = 0, next = start] = phases;
  const count = Math.max(1, phases.length);
  program.call('packGemm', {
    filter: places.filter.plus(access.base),
    tapPlaces: places.table(Int32Array.from(taps)),
    inputStride: access.input,
    taps: taps.length,
    inputs,
    rowStride: access.output,
    phaseStride: next - start,
    phases: count,
    rows: rows * count,
    scale: places.scale,
    weights,
  });
}

/** Packed filters. */
export function packedProduct(
  lowering: Lowering,
  { owner, access }: { readonly owner: string; readonly access: FilterAccess },
  filters: ProductFilters,
  factors: Float64Array,
): Place {
  const { rows, inputs, taps, phases } = filters;
  const count = Math.max(1, phases.length);
  return lowering.weights.packed(
    `${owner} ${access.filter.name} product ${access.key} ${rows} ${taps} ${phases}`,
    4 * roundUp(rows * count, 2) * inputs * taps.length,
    { filter: access.filter, factors },
    (program, places) => packProduct(program, places, access, filters, places.weights),
  );
}
