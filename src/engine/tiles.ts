/**
 * How a map lies in memory ("tile-phase"): cut into tiles of T x T pixels, plane (i, j) of a channel holds pixel (T y + i, T x + j) of
 * tile (y, x) at `first + 4 (y pitch + x)` bytes. Zeros stand between the rows and around them, so that the transforms of
 * Winograd's algorithm are loads and stores at neighbouring places without a border, and a kernel is one flat loop.
 */

/** Height and width of a map in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** The place of everything in a channel. Strides in bytes, `pitch` and `length` in float32. */
export interface Tiles extends Size {
  /** T. */
  readonly tile: 3 | 4;
  /** Images of a batch stand one below the other in each plane, with rows of zeros between them. */
  readonly batch: number;
  readonly sampleStride: number;
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly pitch: number;
  /** Places of a plane from the first tile of the first image to the last one of the last. */
  readonly length: number;
  readonly first: number;
  readonly planeStride: number;
  readonly channelStride: number;
  /** Places of all planes of a channel. */
  readonly places: number;
}

/** Tile rows above and below all images that a kernel may read: the transform one, and a 13x13 kernel, in tiles of 3 alone, two more. */
const marginRows = (tile: 3 | 4): number => (tile === 3 ? 3 : 1);

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/** Tile rows of zeros between two images, as many as the largest kernel reaches over. */
const gapRows = (tile: 3 | 4): number => (tile === 3 ? 2 : 1);

/** Lays a map of a batch of images out. */
export function tilesOf({ height, width }: Size, tile: 3 | 4, batch: number): Tiles {
  const tileRows = Math.ceil(height / tile);
  const tileColumns = Math.ceil(width / tile);
  // A window of F(3,3) reaches into two tiles behind a row where sections follow each other, one of F(4,3) into one.
  const pitch = tileColumns + (tile === 3 ? 2 : 1);
  const first = roundUp(marginRows(tile) * pitch + 8, 4);
  const rows = batch * tileRows + (batch - 1) * gapRows(tile);
  // Behind the last row: the margin, and what whole register tiles write beyond the end.
  const plane = roundUp(first + (rows + marginRows(tile) + 1) * pitch + 40, 4);
  return {
    height,
    width,
    tile,
    tileRows,
    tileColumns,
    pitch,
    batch,
    sampleStride: 4 * (tileRows + gapRows(tile)) * pitch,
    length: rows * pitch,
    first: 4 * first,
    planeStride: 4 * plane,
    // Channels do not start at the same place of a page.
    channelStride: 4 * (tile * tile * plane + 16),
    places: tile * tile * plane,
  };
}

/** A pixel of an image of the batch. */
export interface Pixel {
  readonly sample: number;
  readonly y: number;
  readonly x: number;
}

/** Bytes from the start of a channel to a pixel. */
export function placeOf(tiles: Tiles, { sample, y, x }: Pixel): number {
  const { tile, planeStride, first, pitch, sampleStride } = tiles;
  const plane = (y % tile) * tile + (x % tile);
  const row = first + sample * sampleStride;
  return plane * planeStride + row + 4 * (Math.floor(y / tile) * pitch + Math.floor(x / tile));
}

/**
 * A number for each pixel in the order in which pixels lie in memory, of those of its row and its column; null leaves a row or a column out.
 */
export function inOrder(
  { height, width, tile, batch }: Tiles,
  row: (y: number) => number | null,
  column: (x: number) => number | null,
  combine: (row: number, column: number, sample: number) => number,
): Float64Array {
  const byPhase = (size: number, along: (position: number) => number | null): number[][] => {
    const phases = Array.from({ length: tile }, (): number[] => []);
    for (let position = 0; position < size; position++) {
      const value = along(position);
      if (value !== null) phases[position % tile]?.push(value);
    }
    return phases;
  };
  const rows = byPhase(height, row);
  const columns = byPhase(width, column);
  const numbers = new Float64Array(batch * rows.flat().length * columns.flat().length);
  let next = 0;
  for (const ys of rows) {
    for (const xs of columns) {
      for (let sample = 0; sample < batch; sample++) {
        // Counted: before they are compiled, iterators make an object a step.
        for (let y = 0; y < ys.length; y++) {
          for (let x = 0; x < xs.length; x++) numbers[next++] = combine(ys[y] ?? 0, xs[x] ?? 0, sample);
        }
      }
    }
  }
  return numbers;
}
