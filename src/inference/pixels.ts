/** Everything that people have as an image, as the raster that preprocessing takes. */
import * as tf from '@tensorflow/tfjs-core';
import { isEightBit, type Raster } from '../data/raster.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { type Drawable, readDrawable } from './canvas.js';

/** What `predictMask` takes: a browser's pixels, a decoded file, or a tensor [height, width, channels]. */
export type ImageSource =
  | ImageData
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | HTMLImageElement
  | Raster
  | tf.Tensor3D;

/** RGBA pixels without their alpha, as files are decoded too; grey pictures stay RGB here, preprocessing makes them grey again. */
function fromRgba({ width, height, data }: Pick<ImageData, 'width' | 'height' | 'data'>): Raster {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = data[i * 4 + c] ?? 0;
  }
  return { width, height, channels: 3, data: rgb };
}

/** Browser pixels have four values of 8 bits; newer browsers also hand out halves, which a byte would truncate to 0. */
function checkRgba({ width, height, data }: ImageData): void {
  if (data.BYTES_PER_ELEMENT !== 1 || data.length !== width * height * 4) {
    throw new InvalidArgumentError(
      `ImageData must hold height * width * 4 bytes (${height} * ${width} * 4). Received: ${describe(data)} of ${data.length} values. Pass 'rgba-unorm8' pixels, or a decoded image {width, height, channels, data} with its number of channels.`,
    );
  }
}

async function fromTensor(image: tf.Tensor): Promise<Raster> {
  if (image.rank !== 3 || (image.dtype !== 'float32' && image.dtype !== 'int32')) {
    throw new InvalidArgumentError(
      `An image tensor must be [height, width, channels] of float32 or int32. Received: shape [${image.shape.join(', ')}] of ${image.dtype}.`,
    );
  }
  const [height = 0, width = 0, channels = 0] = image.shape;
  const data = await image.data<'float32' | 'int32'>();
  if (image.dtype === 'float32') return { width, height, channels, data: Float32Array.from(data) };
  // tf.browser.fromPixels makes bytes of this type.
  const bytes = data.every((value) => value >= 0 && value <= 255);
  return { width, height, channels, data: bytes ? Uint8Array.from(data) : Int32Array.from(data) };
}

function checkRaster({ width, height, channels, data }: Raster): void {
  const sizes = [width, height, channels];
  if (!sizes.every((size) => Number.isInteger(size) && size > 0) || data.length !== width * height * channels) {
    throw new InvalidArgumentError(
      `An image must have at least one pixel and height * width * channels values. Received: height ${height}, width ${width}, channels ${channels}, ${data.length} values.`,
    );
  }
}

const isRaster = (source: object): source is Raster => 'channels' in source && 'data' in source;
const isImageData = (source: object): source is ImageData =>
  'data' in source && 'width' in source && !('channels' in source);
const isDrawable = (source: object): source is Drawable =>
  'width' in source && 'height' in source && !('data' in source);

/** What a value is called in a message. */
const describe = (value: unknown): string =>
  typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'Object') : String(value);

async function toRaster(source: ImageSource): Promise<Raster> {
  if (source instanceof tf.Tensor) return fromTensor(source);
  if (typeof source === 'object' && source !== null) {
    if (isRaster(source)) return source;
    if (isImageData(source)) {
      checkRgba(source);
      return fromRgba(source);
    }
    if (isDrawable(source)) return fromRgba(readDrawable(source));
  }
  throw new InvalidArgumentError(
    `An image must be ImageData, a canvas, an ImageBitmap, an <img>, a decoded image {width, height, channels, data} or a Tensor3D. Received: ${describe(source)}.`,
  );
}

/**
 * Reads the pixels of an image source; a tensor stays the caller's.
 *
 * @throws InvalidArgumentError for anything else, and where sizes and values do not agree.
 */
export async function readPixels(source: ImageSource): Promise<Raster> {
  const raster = await toRaster(source);
  checkRaster(raster);
  return raster;
}

/** Whether a network's default scaling from 0..255 makes sense for an image. */
export const isBytePicture = (raster: Raster): boolean =>
  isEightBit(raster) && (raster.channels === 1 || raster.channels === 3);
