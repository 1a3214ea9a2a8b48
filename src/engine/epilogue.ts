/**
 * What follows a sum of products before it is stored: x = max(floor1, x + bias), then max(floor2, x scale + shift). Normalisation
 * goes into the factors of the filter as long as nothing nonlinear stands between, behind a ReLU into scale and shift.
 */

/** Numbers a channel, in the order in which the kernels read them. */
const NUMBERS = 5;

export class Epilogue {
  /** Factors of the filter, one an output channel. */
  readonly factors: Float64Array;
  readonly bias: Float64Array;
  private readonly scale: Float64Array;
  private readonly shift: Float64Array;
  private floor1 = Number.NEGATIVE_INFINITY;
  private floor2 = Number.NEGATIVE_INFINITY;
  private isScaled = false;

  /**
   * @param hasFilter Whether factors can go into a filter; a sum of maps has none.
   */
  constructor(
    readonly channels: number,
    private readonly hasFilter: boolean,
  ) {
    this.factors = new Float64Array(channels).fill(1);
    this.bias = new Float64Array(channels);
    this.scale = new Float64Array(channels).fill(1);
    this.shift = new Float64Array(channels);
  }

  /** Whether x + bias is all that it does. */
  get isLinear(): boolean {
    return !this.isScaled && !Number.isFinite(this.floor1) && !Number.isFinite(this.floor2);
  }

  /** Takes in x scale + shift; false where the order of things does not allow it. */
  addNorm(scale: Float64Array, shift: Float64Array): boolean {
    if (Number.isFinite(this.floor2)) return false;
    const isFirst = !this.isScaled && !Number.isFinite(this.floor1) && this.hasFilter;
    const [factors, offsets] = isFirst ? [this.factors, this.bias] : [this.scale, this.shift];
    for (let c = 0; c < this.channels; c++) {
      const s = scale[c] ?? 1;
      factors[c] = (factors[c] ?? 1) * s;
      offsets[c] = (offsets[c] ?? 0) * s + (shift[c] ?? 0);
    }
    if (!isFirst) this.isScaled = true;
    return true;
  }

  /** Adds to the bias, scaled as the filter is. */
  addBias(values: Float64Array): void {
    for (let c = 0; c < this.channels; c++) {
      this.bias[c] = (this.bias[c] ?? 0) + (values[c] ?? 0) * (this.factors[c] ?? 1);
    }
  }

  addRelu(): boolean {
    if (this.isScaled) this.floor2 = 0;
    else this.floor1 = 0;
    return true;
  }

  /** What the kernels read, for all channels. */
  record(): Float32Array {
    const record = new Float32Array(NUMBERS * this.channels);
    for (let c = 0; c < this.channels; c++) {
      record.set([this.bias[c] ?? 0, this.floor1, this.scale[c] ?? 1, this.shift[c] ?? 0, this.floor2], NUMBERS * c);
    }
    return record;
  }
}

/** Bytes of a channel in a record. */
export const EPILOGUE_BYTES = 4 * NUMBERS;
