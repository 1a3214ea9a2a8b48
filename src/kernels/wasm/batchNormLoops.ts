/**
 * Batch normalisation over plain arrays [rows, channels]. Statistics are summed in double: tfjs's float32 sums lose the
 * variance of large maps. Each loop takes a block of rows that stays in the cache and runs down one channel after the other,
 * so that the sums live in registers; a shared walk with a callback instead of the nested loops costs twice the time.
 */

/** How a map is laid out: rows are the pixels of all images. */
export interface BatchNormLayout {
  readonly rows: number;
  readonly channels: number;
}

const BLOCK_ROWS = 32;

/**
 * Mean and biased variance of each channel, in one pass. Values are taken relative to the first row, so that a large common
 * offset costs no digits.
 */
export function channelStatistics(
  x: Float32Array,
  { rows, channels }: BatchNormLayout,
): { readonly mean: Float64Array; readonly variance: Float64Array } {
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const end = Math.min(rows, row + BLOCK_ROWS) * channels;
    for (let c = 0; c < channels; c++) {
      const shift = x[c];
      let sum = 0;
      let squares = 0;
      for (let i = row * channels + c; i < end; i += channels) {
        const value = x[i] - shift;
        sum += value;
        squares += value * value;
      }
      mean[c] += sum;
      variance[c] += squares;
    }
  }
  for (let c = 0; c < channels; c++) {
    const shifted = mean[c] / rows;
    mean[c] = x[c] + shifted;
    variance[c] = Math.max(0, variance[c] / rows - shifted * shifted);
  }
  return { mean, variance };
}

/** y = x * factor + offset, behind a ReLU where `relu` says so. */
export function scaleShift(
  x: Float32Array,
  y: Float32Array,
  { rows, channels }: BatchNormLayout,
  { factor, offset, relu }: { readonly factor: Float64Array; readonly offset: Float64Array; readonly relu: boolean },
): void {
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const end = Math.min(rows, row + BLOCK_ROWS) * channels;
    for (let c = 0; c < channels; c++) {
      const scale = factor[c];
      const shift = offset[c];
      const start = row * channels + c;
      if (!relu) {
        for (let i = start; i < end; i += channels) y[i] = x[i] * scale + shift;
        continue;
      }
      for (let i = start; i < end; i += channels) {
        // max(0, value) without a branch: half of the branches would be mispredicted, at four times the cost.
        const value = x[i] * scale + shift;
        y[i] = 0.5 * (value + Math.abs(value));
      }
    }
  }
}

const bitsOf = (values: Float32Array): Int32Array => new Int32Array(values.buffer, values.byteOffset, values.length);

/**
 * Per channel the sums of g and of g * (x - mean). With `mask` the gradient behind a ReLU is written over `g` on the way:
 * g = dy where y > 0 and else 0. That is done on the bits of the numbers, since half of the branches on y would be
 * mispredicted; y is a ReLU's output, so that its sign bit is never set.
 */
export function gradientSums(
  g: Float32Array,
  x: Float32Array,
  { rows, channels }: BatchNormLayout,
  mean: Float32Array,
  mask?: { readonly dy: Float32Array; readonly y: Float32Array },
): { readonly sum: Float64Array; readonly centred: Float64Array } {
  const sum = new Float64Array(channels);
  const centred = new Float64Array(channels);
  const [gBits, dyBits, yBits] = [g, mask?.dy ?? g, mask?.y ?? g].map(bitsOf);
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const end = Math.min(rows, row + BLOCK_ROWS) * channels;
    if (mask !== undefined) {
      for (let i = row * channels; i < end; i++) gBits[i] = dyBits[i] & (-yBits[i] >> 31);
    }
    for (let c = 0; c < channels; c++) {
      const centre = mean[c];
      let total = 0;
      let product = 0;
      for (let i = row * channels + c; i < end; i += channels) {
        total += g[i];
        product += g[i] * (x[i] - centre);
      }
      sum[c] += total;
      centred[c] += product;
    }
  }
  return { sum, centred };
}

/** dx = ofG * g + ofX * x + offset; `dx` may be `g` itself. */
export function inputGradient(
  g: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  { rows, channels }: BatchNormLayout,
  factors: { readonly ofG: Float64Array; readonly ofX: Float64Array; readonly offset: Float64Array },
): void {
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const end = Math.min(rows, row + BLOCK_ROWS) * channels;
    for (let c = 0; c < channels; c++) {
      const ofG = factors.ofG[c];
      const ofX = factors.ofX[c];
      const shift = factors.offset[c];
      for (let i = row * channels + c; i < end; i += channels) dx[i] = g[i] * ofG + x[i] * ofX + shift;
    }
  }
}
