/**
 * Batch normalisation over plain arrays [rows, channels]. Statistics are summed in double: tfjs's float32 sums lose the
 * variance of large maps. Each loop takes a block of rows that stays in the cache and runs down one channel after the other,
 * so that the sums live in registers.
 */

/** How a map is laid out: rows are the pixels of all images. */
export interface BatchNormLayout {
  readonly rows: number;
  readonly channels: number;
}

/** One number per channel. */
export type PerChannel = Float32Array | Float64Array;

const BLOCK_ROWS = 32;

/** Calls `visit` for each channel of each block with the offsets of its first value and behind its last one. */
function forEachColumn(
  { rows, channels }: BatchNormLayout,
  visit: (channel: number, start: number, end: number) => void,
): void {
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const end = Math.min(rows, row + BLOCK_ROWS) * channels;
    for (let c = 0; c < channels; c++) visit(c, row * channels + c, end);
  }
}

/**
 * Mean and biased variance of each channel, in one pass. Values are taken relative to the first row, so that a large common
 * offset costs no digits.
 */
export function channelStatistics(
  x: Float32Array,
  layout: BatchNormLayout,
): { readonly mean: Float64Array; readonly variance: Float64Array } {
  const { rows, channels } = layout;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  forEachColumn(layout, (c, start, end) => {
    const shift = x[c];
    let sum = 0;
    let squares = 0;
    for (let i = start; i < end; i += channels) {
      const value = x[i] - shift;
      sum += value;
      squares += value * value;
    }
    mean[c] += sum;
    variance[c] += squares;
  });
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
  layout: BatchNormLayout,
  { factor, offset, relu }: { readonly factor: PerChannel; readonly offset: PerChannel; readonly relu: boolean },
): void {
  const { channels } = layout;
  forEachColumn(layout, (c, start, end) => {
    const scale = factor[c];
    const shift = offset[c];
    if (!relu) {
      for (let i = start; i < end; i += channels) y[i] = x[i] * scale + shift;
      return;
    }
    for (let i = start; i < end; i += channels) {
      // max(0, v) without a branch: half of them would be mispredicted, which costs four times as much.
      const value = x[i] * scale + shift;
      y[i] = 0.5 * (value + Math.abs(value));
    }
  });
}

/** Per channel the sums of g and of g * (x - mean), with g the gradient behind the ReLU. */
export function gradientSums(
  arrays: { readonly dy: Float32Array; readonly x: Float32Array; readonly y: Float32Array },
  layout: BatchNormLayout,
  { mean, relu }: { readonly mean: PerChannel; readonly relu: boolean },
): { readonly sum: Float64Array; readonly centred: Float64Array } {
  const { dy, x, y } = arrays;
  const { channels } = layout;
  const sum = new Float64Array(channels);
  const centred = new Float64Array(channels);
  forEachColumn(layout, (c, start, end) => {
    const centre = mean[c];
    let total = 0;
    let product = 0;
    for (let i = start; i < end; i += channels) {
      const g = relu ? dy[i] * Number(y[i] > 0) : dy[i];
      total += g;
      product += g * (x[i] - centre);
    }
    sum[c] += total;
    centred[c] += product;
  });
  return { sum, centred };
}

/** dx = ofG * g + ofX * x + offset, with g the gradient behind the ReLU. */
export function inputGradient(
  arrays: { readonly dy: Float32Array; readonly x: Float32Array; readonly y: Float32Array; readonly dx: Float32Array },
  layout: BatchNormLayout,
  factors: {
    readonly ofG: PerChannel;
    readonly ofX: PerChannel;
    readonly offset: PerChannel;
    readonly relu: boolean;
  },
): void {
  const { dy, x, y, dx } = arrays;
  const { channels } = layout;
  forEachColumn(layout, (c, start, end) => {
    const ofG = factors.ofG[c];
    const ofX = factors.ofX[c];
    const shift = factors.offset[c];
    for (let i = start; i < end; i += channels) {
      const g = factors.relu ? dy[i] * Number(y[i] > 0) : dy[i];
      dx[i] = g * ofG + x[i] * ofX + shift;
    }
  });
}
