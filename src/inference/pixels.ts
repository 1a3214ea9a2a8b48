/** Everything that people have as an image, as the raster that preprocessing takes. */
import * as tf from '@tensorflow/tfjs-core';
import type { Raster } from '../data/raster.js';
import { InvalidArgumentError } from '../runtime/errors.js';

/** What `predictMask` takes: a browser's pixels, a decoded file, or a tensor [height, width, channels]. */
export type ImageSource =
  | ImageData
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | HTMLImageElement
  | Raster
  | tf.Tensor3D;

/** RGBA pixels without their alpha; grey pictures stay RGB here, preprocessing makes them grey again. */
function fromRgba(data: ArrayLike<number>, width: number, height: number): Raster {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = data[i * 4 + c] ?? 0;
  }
  return { width, height, channels: 3, data: rgb };
}

function fromDrawable(image: CanvasImageSource & { width: number; height: number }): Raster {
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null)
    throw new InvalidArgumentError('This browser gives no 2d context to read the image with. Pass ImageData.');
  context.drawImage(image, 0, 0);
  return fromRgba(context.getImageData(0, 0, width, height).data, width, height);
}

async function fromTensor(image: tf.Tensor3D): Promise<Raster> {
  const [height, width, channels] = image.shape;
  const data = await image.data<'float32' | 'int32'>();
  return { width, height, channels, data: image.dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data) };
}

const isRaster = (source: object): source is Raster => 'channels' in source && 'data' in source;
const isImageData = (source: object): source is ImageData =>
  'data' in source && 'width' in source && !('channels' in source);
const isDrawable = (source: object): source is HTMLCanvasElement =>
  'width' in source && 'height' in source && !('data' in source);

/**
 * Reads the pixels of an image source.
 *
 * @throws InvalidArgumentError for anything else, or a tensor that is not of rank 3.
 */
export async function readPixels(source: ImageSource): Promise<Raster> {
  if (source instanceof tf.Tensor) {
    if (source.rank !== 3) {
      throw new InvalidArgumentError(
        `An image tensor must be [height, width, channels]. Received: shape [${source.shape.join(', ')}].`,
      );
    }
    return fromTensor(source);
  }
  if (typeof source === 'object' && source !== null) {
    if (isRaster(source)) return source;
    if (isImageData(source)) return fromRgba(source.data, source.width, source.height);
    if (isDrawable(source)) return fromDrawable(source);
  }
  throw new InvalidArgumentError(
    `An image must be ImageData, a canvas, an ImageBitmap, a decoded image {width, height, channels, data} or a Tensor3D. Received: ${String(source)}.`,
  );
}
