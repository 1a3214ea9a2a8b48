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

/** Whether the values are bytes, whose full scale 0..255 is known; of other types only the file's own values tell. */
export function isEightBit(raster: Raster): boolean {
  return raster.data instanceof Uint8Array || raster.data instanceof Uint8ClampedArray;
}

/** Whether the image holds no colour: one channel, or three that are equal in every pixel. */
export function isGrey(raster: Raster): boolean {
  const { channels, data } = raster;
  if (channels === 1) return true;
  for (let i = 0; i < data.length; i += channels) {
    for (let c = 1; c < channels; c++) if (data[i + c] !== data[i]) return false;
  }
  return true;
}
