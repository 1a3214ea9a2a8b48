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
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly pitch: number;
  /** Places of a plane from its first tile to its last. */
  readonly length: number;
  readonly first: number;
  readonly planeStride: number;
  readonly channelStride: number;
}

/** Tile rows above and below a map that a kernel may read: a 15x15 kernel reads two and the transform one more. */
export const MARGIN_ROWS = 3;

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/** Lays a map out. */
export function tilesOf({ height, width }: Size, tile: 3 | 4): Tiles {
  const tileRows = Math.ceil(height / tile);
  const tileColumns = Math.ceil(width / tile);
  // A window of F(3,3) reaches into two tiles behind a row where sections follow each other, one of F(4,3) into one.
  const pitch = tileColumns + (tile === 3 ? 2 : 1);
  const first = roundUp(MARGIN_ROWS * pitch + 8, 4);
  // Behind the last row: the margin, and what whole register tiles write beyond the end.
  const plane = roundUp(first + (tileRows + MARGIN_ROWS + 1) * pitch + 40, 4);
  return {
    height,
    width,
    tile,
    tileRows,
    tileColumns,
    pitch,
    length: tileRows * pitch,
    first: 4 * first,
    planeStride: 4 * plane,
    // Channels do not start at the same place of a page.
    channelStride: 4 * (tile * tile * plane + 16),
  };
}

/** Bytes from the start of a channel to a pixel. */
export function placeOf(tiles: Tiles, y: number, x: number): number {
  const { tile, planeStride, first, pitch } = tiles;
  const plane = (y % tile) * tile + (x % tile);
  return plane * planeStride + first + 4 * (Math.floor(y / tile) * pitch + Math.floor(x / tile));
}

/** All pixels in the order in which they lie in memory, [row, column]. */
export function* pixelsInOrder({ height, width, tile }: Tiles): Generator<readonly [number, number]> {
  for (let i = 0; i < tile; i++) {
    for (let j = 0; j < tile; j++) {
      for (let y = i; y < height; y += tile) for (let x = j; x < width; x += tile) yield [y, x];
    }
  }
}
