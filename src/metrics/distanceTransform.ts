/** The exact Euclidean distance transform in linear time. */

/** Pixels of a map: 1 (or any value but 0) where distance is measured to. */
export interface DistanceTargets {
  /** `height * width` values, rows from the top. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Squared distance along each column to its nearest target; Infinity in a column without one. */
function columnDistances(targets: DistanceTargets, rowSpacing: number): Float64Array {
  const { data, width, height } = targets;
  const squared = new Float64Array(width * height);
  const rows = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
  for (let i = 0; i < squared.length; i++) {
    const x = i % width;
    rows[x] = data[i] !== 0 ? 0 : rows[x] + 1;
    squared[i] = rows[x];
  }
  rows.fill(Number.POSITIVE_INFINITY);
  for (let i = squared.length - 1; i >= 0; i--) {
    const x = i % width;
    rows[x] = data[i] !== 0 ? 0 : rows[x] + 1;
    const distance = Math.min(squared[i], rows[x]) * rowSpacing;
    squared[i] = distance * distance;
  }
  return squared;
}

/** The lower envelope of the parabolas of one row (Felzenszwalb and Huttenlocher 2012, algorithm 1). */
class Envelope {
  private readonly values: Float64Array;
  private readonly vertices: Int32Array;
  private readonly borders: Float64Array;

  constructor(private readonly width: number) {
    this.values = new Float64Array(width);
    this.vertices = new Int32Array(width);
    this.borders = new Float64Array(width + 1);
  }

  /** Replaces one row of squared distances along columns by squared distances in the plane; spacing 1. */
  transform(row: Float64Array): void {
    const { values, vertices, borders, width } = this;
    values.set(row);
    let last = -1;
    for (let q = 0; q < width; q++) {
      // A column without targets has no parabola.
      if (values[q] === Number.POSITIVE_INFINITY) continue;
      let border = Number.NEGATIVE_INFINITY;
      while (last >= 0) {
        const v = vertices[last];
        border = (values[q] + q * q - (values[v] + v * v)) / (2 * (q - v));
        if (border > borders[last]) break;
        last--;
        border = Number.NEGATIVE_INFINITY;
      }
      last++;
      vertices[last] = q;
      borders[last] = border;
    }
    if (last < 0) return;
    borders[last + 1] = Number.POSITIVE_INFINITY;
    let k = 0;
    for (let q = 0; q < width; q++) {
      while (borders[k + 1] < q) k++;
      const offset = q - vertices[k];
      row[q] = offset * offset + values[vertices[k]];
    }
  }
}

/**
 * The distance of every pixel to the nearest target pixel's centre.
 *
 * @param targets The map; 0 where no target is.
 * @param spacing Size of a pixel [row, column]; default [1, 1], so that distances are in pixels.
 * @returns `height * width` distances; Infinity everywhere if there is no target.
 */
export function distanceTransform(targets: DistanceTargets, spacing: readonly [number, number] = [1, 1]): Float64Array {
  const { width, height } = targets;
  const [rowSpacing, columnSpacing] = spacing;
  // In units of columns, so that the envelope's offsets are whole numbers.
  const distances = columnDistances(targets, rowSpacing / columnSpacing);
  const envelope = new Envelope(width);
  for (let y = 0; y < height; y++) envelope.transform(distances.subarray(y * width, (y + 1) * width));
  for (let i = 0; i < distances.length; i++) distances[i] = Math.sqrt(distances[i]) * columnSpacing;
  return distances;
}
