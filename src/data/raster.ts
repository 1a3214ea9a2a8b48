/** A decoded image as its file holds it, before any intensity window or scaling. */

export type RasterData =
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** A decoded image: rows from the top, channels interleaved. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** 1 (grey), 3 (RGB); alpha and palettes are resolved when the file is decoded. */
  readonly channels: number;
  /** `height * width * channels` values. */
  readonly data: RasterData;
}
