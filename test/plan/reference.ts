/** Operations on one image in plain loops and float64, written from their definitions: no code of the package. */

/** An image [height, width, channels]. */
export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

/** A number for rows and one for columns. */
export type Pair = readonly [number, number];

export const blank = (height: number, width: number, channels: number): Image => ({
  height,
  width,
  channels,
  data: new Float64Array(height * width * channels),
});

/** A value, zero outside. */
export function valueAt({ height, width, channels, data }: Image, y: number, x: number, c: number): number {
  if (y < 0 || x < 0 || y >= height || x >= width) return 0;
  return data[(y * width + x) * channels + c] ?? Number.NaN;
}

/** An image from a formula for each of its values. */
export function imageOf(
  [height, width, channels]: readonly [number, number, number],
  value: (y: number, x: number, c: number) => number,
): Image {
  const image = blank(height, width, channels);
  let i = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) image.data[i++] = value(y, x, c);
  return image;
}

/** What a convolution is, sizes of padding resolved. */
export interface Convolution {
  readonly kernel: Pair;
  readonly groups: number;
  readonly filters: number;
  /** Pixels added before the first row and column. */
  readonly before: Pair;
  readonly output: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
}

/** Length of the result along one axis and the pixels before it: 'same' as TensorFlow defines it, or pixels on both sides. */
export function along(
  size: number,
  kernel: number,
  { stride, dilation, padding }: { stride: number; dilation: number; padding: 'same' | 'valid' | number },
): { length: number; before: number } {
  const extent = (kernel - 1) * dilation + 1;
  if (padding === 'same') {
    const length = Math.ceil(size / stride);
    return { length, before: Math.floor(Math.max((length - 1) * stride + extent - size, 0) / 2) };
  }
  const before = padding === 'valid' ? 0 : padding;
  return { length: Math.floor((size + 2 * before - extent) / stride) + 1, before };
}

/** Cross-correlation in groups; `filter` is [rows, columns, inputs of a group, filters]. */
export function convolve(x: Image, filter: ArrayLike<number>, conv: Convolution): Image {
  const { kernel, groups, filters, before, output, strides, dilations } = conv;
  const depth = x.channels / groups;
  const perGroup = filters / groups;
  const y = blank(output[0], output[1], filters);
  for (let r = 0; r < output[0]; r++) {
    for (let c = 0; c < output[1]; c++) {
      const to = (r * output[1] + c) * filters;
      for (let i = 0; i < kernel[0]; i++) {
        const row = r * strides[0] - before[0] + i * dilations[0];
        if (row < 0 || row >= x.height) continue;
        for (let j = 0; j < kernel[1]; j++) {
          const column = c * strides[1] - before[1] + j * dilations[1];
          if (column < 0 || column >= x.width) continue;
          const from = (row * x.width + column) * x.channels;
          const tap = (i * kernel[1] + j) * depth * filters;
          for (let o = 0; o < filters; o++) {
            const first = from + Math.floor(o / perGroup) * depth;
            let sum = y.data[to + o] ?? 0;
            for (let d = 0; d < depth; d++) sum += (x.data[first + d] ?? 0) * (filter[tap + d * filters + o] ?? 0);
            y.data[to + o] = sum;
          }
        }
      }
    }
  }
  return y;
}

/** The transpose of a convolution of stride `strides`: every pixel adds its kernel; `filter` is [rows, columns, outputs, inputs]. */
export function transposed(
  x: Image,
  filter: ArrayLike<number>,
  { kernel, strides, filters, padding }: { kernel: Pair; strides: Pair; filters: number; padding: 'same' | 'valid' },
): Image {
  const length = (size: number, axis: 0 | 1) =>
    size * strides[axis] + (padding === 'same' ? 0 : Math.max(kernel[axis] - strides[axis], 0));
  const y = blank(length(x.height, 0), length(x.width, 1), filters);
  // The convolution whose gradient this is maps y to x.
  const before = ([0, 1] as const).map((axis) =>
    padding === 'same'
      ? along(axis === 0 ? y.height : y.width, kernel[axis], { stride: strides[axis], dilation: 1, padding }).before
      : 0,
  );
  for (let r = 0; r < x.height; r++)
    for (let c = 0; c < x.width; c++)
      for (let i = 0; i < kernel[0]; i++)
        for (let j = 0; j < kernel[1]; j++) {
          const row = r * strides[0] + i - (before[0] ?? 0);
          const column = c * strides[1] + j - (before[1] ?? 0);
          if (row < 0 || column < 0 || row >= y.height || column >= y.width) continue;
          for (let o = 0; o < filters; o++) {
            const at = (row * y.width + column) * filters + o;
            let sum = y.data[at] ?? 0;
            for (let d = 0; d < x.channels; d++) {
              const weight = filter[((i * kernel[1] + j) * filters + o) * x.channels + d] ?? 0;
              sum += valueAt(x, r, c, d) * weight;
            }
            y.data[at] = sum;
          }
        }
  return y;
}

/** Each value by a formula that may depend on its channel. */
export const pointwise = (x: Image, value: (v: number, c: number) => number): Image => ({
  ...x,
  data: x.data.map((v, i) => value(v, i % x.channels)),
});

/** Maximum over windows; what lies outside does not count. */
export function maxPool(
  x: Image,
  { size, strides, padding }: { size: Pair; strides: Pair; padding: 'same' | 'valid' },
): Image {
  const rows = along(x.height, size[0], { stride: strides[0], dilation: 1, padding });
  const columns = along(x.width, size[1], { stride: strides[1], dilation: 1, padding });
  return imageOf([rows.length, columns.length, x.channels], (r, c, channel) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < size[0]; i++)
      for (let j = 0; j < size[1]; j++) {
        const y = r * strides[0] + i - rows.before;
        const column = c * strides[1] + j - columns.before;
        if (y < 0 || column < 0 || y >= x.height || column >= x.width) continue;
        most = Math.max(most, valueAt(x, y, column, channel));
      }
    return most;
  });
}

/** Rows and columns of zeros around, or fewer of them where negative. */
export const framed = (x: Image, [[top, bottom], [left, right]]: readonly [Pair, Pair]): Image =>
  imageOf([x.height + top + bottom, x.width + left + right, x.channels], (y, column, c) =>
    valueAt(x, y - top, column - left, c),
  );

/** Every pixel repeated. */
export const repeated = (x: Image, [rows, columns]: Pair): Image =>
  imageOf([x.height * rows, x.width * columns, x.channels], (y, column, c) =>
    valueAt(x, Math.floor(y / rows), Math.floor(column / columns), c),
  );

/** Bilinear enlargement that keeps the corner pixels in the corners. */
export function bilinear(x: Image, factor: number): Image {
  const [height, width] = [x.height * factor, x.width * factor];
  const place = (o: number, from: number, to: number) => {
    const position = to > 1 ? (o * (from - 1)) / (to - 1) : 0;
    const index = Math.floor(position);
    return { index, next: Math.min(index + 1, from - 1), share: position - index };
  };
  return imageOf([height, width, x.channels], (y, column, c) => {
    const row = place(y, x.height, height);
    const col = place(column, x.width, width);
    const mix = (r: number) => valueAt(x, r, col.index, c) * (1 - col.share) + valueAt(x, r, col.next, c) * col.share;
    return mix(row.index) * (1 - row.share) + mix(row.next) * row.share;
  });
}

/** Channels one behind the other. */
export function joined(images: readonly Image[]): Image {
  const [first] = images;
  if (first === undefined) throw new Error('Nothing to join.');
  const origins = images.flatMap((image) => Array.from({ length: image.channels }, (_, c) => ({ image, c })));
  return imageOf([first.height, first.width, origins.length], (y, x, c) => {
    const origin = origins[c];
    return origin === undefined ? Number.NaN : valueAt(origin.image, y, x, origin.c);
  });
}

/** Value by value; an image of one channel counts for every channel. */
export function combined(images: readonly Image[], value: (a: number, b: number) => number): Image {
  const channels = Math.max(...images.map((image) => image.channels));
  const [first] = images;
  if (first === undefined) throw new Error('Nothing to combine.');
  return imageOf([first.height, first.width, channels], (y, x, c) =>
    images.map((image) => valueAt(image, y, x, image.channels === 1 ? 0 : c)).reduce(value),
  );
}

/** exp(x) / sum of exp(x) over the channels. */
export function softmax(x: Image): Image {
  return imageOf([x.height, x.width, x.channels], (y, column, c) => {
    const all = Array.from({ length: x.channels }, (_, k) => Math.exp(valueAt(x, y, column, k)));
    return (all[c] ?? Number.NaN) / all.reduce((sum, e) => sum + e, 0);
  });
}
