/** Matrix products by Strassen's algorithm: where it is used, its weights, and its calls over lists of places. */
import { Buffer, type Place, type Program } from '../program.js';
import type { Precision } from '../types.js';
import type { Lowering } from './context.js';
import type { FilterAccess } from './filters.js';
import { packProduct } from './packedProduct.js';

/** Products of quarters instead of eight. */
const PRODUCTS = 7;

/** Below, the sums of quarters cost more than the product that they save. */
const LEAST_CHANNELS = 64;
/** Below, packing seven quarters instead of four does. */
const LEAST_PIXELS = 192;

/** The size of a product: the inputs that are summed up, and the outputs, in so many phases made of the same values. */
export interface ProductSize {
  readonly inner: number;
  readonly outputs: number;
  readonly phases: number;
  readonly pixels: number;
}

/** Whether a product is faster by Strassen's algorithm, and can be computed by it. */
export const suitsStrassen = (precision: Precision, { inner, outputs, phases, pixels }: ProductSize): boolean =>
  precision === 'fast' &&
  inner % 4 === 0 &&
  outputs % 4 === 0 &&
  Math.min(inner, outputs * phases) >= LEAST_CHANNELS &&
  pixels >= LEAST_PIXELS;

/** Bytes of the weights of one phase. */
const phaseBytes = (inner: number, outputs: number): number => PRODUCTS * inner * outputs;

/** The weights of a product: so many phases, each with weights of its own for the same inputs. */
interface Phases {
  readonly inner: number;
  readonly outputs: number;
  /** Offset of each phase's tap. */
  readonly phases: readonly number[];
}

/** Bytes of all weights. */
export const strassenBytes = ({ inner, outputs, phases }: Phases): number => phaseBytes(inner, outputs) * phases.length;

/**
 * Packs all weights.
 *
 * @param pack Packs those of a phase in the order of a plain product.
 */
export function packStrassen(
  program: Program,
  { inner, outputs, phases }: Phases,
  weights: Place,
  pack: (tap: number, product: Place) => void,
): void {
  const product = new Buffer(4 * inner * outputs + 64, 'arena').at();
  const pairs = outputs / 4;
  for (const [i, tap] of phases.entries()) {
    pack(tap, product);
    program.call('packStrassen', {
      product,
      lowerBytes: 8 * inner * pairs,
      inner,
      pairs,
      weights: weights.plus(i * phaseBytes(inner, outputs)),
    });
  }
}

/** The filters of a convolution, a tap a phase. */
export function strassenWeights(
  lowering: Lowering,
  { owner, access }: { readonly owner: string; readonly access: FilterAccess },
  size: Phases,
  factors: Float64Array,
): Place {
  const { inner, outputs, phases } = size;
  return lowering.weights.packed(
    `${owner} ${access.filter.name} strassen ${access.key} ${outputs} ${phases}`,
    strassenBytes(size),
    { filter: access.filter, factors },
    (program, places) =>
      packStrassen(program, size, places.weights, (tap, product) =>
        packProduct(program, places, access, { rows: outputs, inputs: inner, taps: [tap], phases: [] }, product),
      ),
  );
}

/** What every product by Strassen's algorithm needs. */
export function strassenOperands(
  lowering: Lowering,
  { inner, outputs }: { readonly inner: number; readonly outputs: number },
): { readonly pairs: number; readonly lower: number; readonly panel: Place; readonly spill: Place } {
  return {
    pairs: outputs / 4,
    lower: outputs / 2,
    panel: lowering.scratch(PRODUCTS * (inner / 2) * 4 * lowering.wide),
    spill: lowering.scratch(3 * 2 * 4 * lowering.wide),
  };
}

/** Multiply-accumulates: those of seven quarters for each pair of register tiles, of all eight for a tile alone. */
export function strassenMacs({ wide }: Lowering, { inner, outputs, phases, pixels }: ProductSize): number {
  const tiles = Math.ceil(pixels / wide);
  return inner * outputs * phases * wide * (Math.floor(tiles / 2) * (PRODUCTS / 4) + (tiles % 2));
}
