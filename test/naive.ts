/** Oracles in plain loops and float64, written from the definitions: no code of the package. */

export interface NaiveLevel {
  readonly kernelSize: number;
  /** Columns of the kernel, where they are not as many as its rows. */
  readonly kernelColumns?: number;
  readonly groups: number;
  /** Pixels before the first row and column. */
  readonly before: readonly [number, number];
  /** [k, k, cin / groups, cout] */
  readonly filter: Float64Array;
  readonly filters: number;
}

export interface NaiveConv {
  readonly shape: readonly [number, number, number, number];
  readonly output: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly levels: readonly NaiveLevel[];
}

/** Visits every product of the convolution: output index, input index, filter index. */
function visit(
  { shape: [n, h, w, cin], output: [oh, ow], strides, dilations, levels }: NaiveConv,
  product: (y: number, x: number, level: number, f: number) => void,
): void {
  const cout = levels.reduce((sum, l) => sum + l.filters, 0);
  let start = 0;
  levels.forEach((l, index) => {
    const depth = cin / l.groups;
    const perGroup = l.filters / l.groups;
    const { kernelSize: rows, kernelColumns: columns = rows } = l;
    for (let b = 0; b < n; b++)
      for (let r = 0; r < oh; r++)
        for (let c = 0; c < ow; c++)
          for (let o = 0; o < l.filters; o++)
            for (let i = 0; i < rows; i++)
              for (let j = 0; j < columns; j++) {
                const row = r * strides[0] - l.before[0] + i * dilations[0];
                const column = c * strides[1] - l.before[1] + j * dilations[1];
                if (row < 0 || row >= h || column < 0 || column >= w) continue;
                for (let d = 0; d < depth; d++) {
                  const channel = Math.floor(o / perGroup) * depth + d;
                  product(
                    ((b * oh + r) * ow + c) * cout + start + o,
                    ((b * h + row) * w + column) * cin + channel,
                    index,
                    ((i * columns + j) * depth + d) * l.filters + o,
                  );
                }
              }
    start += l.filters;
  });
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;

/** y of a pyramidal convolution without bias. */
export function naivePyConv(conv: NaiveConv, x: ArrayLike<number>): Float64Array {
  const cout = conv.levels.reduce((sum, l) => sum + l.filters, 0);
  const y = new Float64Array(conv.shape[0] * conv.output[0] * conv.output[1] * cout);
  visit(conv, (yi, xi, level, fi) => {
    y[yi] = at(y, yi) + at(x, xi) * at(conv.levels[level]?.filter ?? [], fi);
  });
  return y;
}

/** Gradients of sum(y * dy) with respect to x and every filter. */
export function naivePyConvGradients(
  conv: NaiveConv,
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
): { dx: Float64Array; dfilters: Float64Array[] } {
  const dx = new Float64Array(x.length);
  const dfilters = conv.levels.map((l) => new Float64Array(l.filter.length));
  visit(conv, (yi, xi, level, fi) => {
    dx[xi] = at(dx, xi) + at(dy, yi) * at(conv.levels[level]?.filter ?? [], fi);
    const dfilter = dfilters[level];
    if (dfilter !== undefined) dfilter[fi] = at(dfilter, fi) + at(dy, yi) * at(x, xi);
  });
  return { dx, dfilters };
}

/** Largest difference relative to the largest magnitude of the expected values. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`Lengths differ: ${actual.length} and ${expected.length}.`);
  let difference = 0;
  let magnitude = 1e-30;
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs(at(actual, i) - at(expected, i));
    if (!(d <= difference)) difference = d;
    magnitude = Math.max(magnitude, Math.abs(at(expected, i)));
  }
  return difference / magnitude;
}
