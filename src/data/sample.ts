/** One image with its mask, ready for a network. */

export interface Sample {
  /** The file's name without its extension; of a page of a stack: `name#page`. */
  readonly name: string;
  /** Patient, volume or specimen: samples of one group never lie in two parts of a split. */
  readonly group?: string;
  readonly width: number;
  readonly height: number;
  /** Channels of the image. */
  readonly channels: number;
  /** `height * width * channels` values in [-1, 1]. */
  readonly image: Float32Array;
  /** `height * width` labels: 0 and 1 of a binary mask, else 0..C-1. */
  readonly mask: Uint8Array;
  /** Size of a pixel [row, column] in mm where it is known. */
  readonly spacing?: readonly [number, number];
}
