/** What counts as an image, and what its pixels are: browser objects are played by stand-ins, as Node has none. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { type ImageSource, readPixels } from '../../src/inference/pixels.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';

/** Two pixels: an opaque red and a half transparent grey. */
const RGBA = Uint8ClampedArray.of(255, 0, 0, 255, 90, 91, 92, 128);
const RGB = [255, 0, 0, 90, 91, 92];

interface Drawn {
  readonly canvas: { readonly width: number; readonly height: number };
  readonly image: unknown;
}

/** A 2d context that remembers what was drawn and gives back `RGBA`. */
const contextFor = (canvas: Drawn['canvas'], drawn: Drawn[], read: () => Uint8ClampedArray = () => RGBA) => ({
  drawImage: (image: unknown, x: number, y: number) => {
    expect([x, y]).toEqual([0, 0]);
    drawn.push({ canvas: { width: canvas.width, height: canvas.height }, image });
  },
  getImageData: (_x: number, _y: number, width: number, height: number) => ({ width, height, data: read() }),
});

function withOffscreenCanvas(drawn: Drawn[], context: 'works' | 'missing' = 'works'): void {
  class FakeOffscreenCanvas {
    constructor(
      readonly width: number,
      readonly height: number,
    ) {}
    getContext(kind: string) {
      expect(kind).toBe('2d');
      return context === 'works' ? contextFor(this, drawn) : null;
    }
  }
  Reflect.set(globalThis, 'OffscreenCanvas', FakeOffscreenCanvas);
}

function withDocument(drawn: Drawn[], read?: () => Uint8ClampedArray): void {
  const createElement = (tag: string) => {
    expect(tag).toBe('canvas');
    const canvas = { width: 300, height: 150, getContext: () => contextFor(canvas, drawn, read) };
    return canvas;
  };
  Reflect.set(globalThis, 'document', { createElement });
}

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'OffscreenCanvas');
  Reflect.deleteProperty(globalThis, 'document');
});

/** What a caller without types may pass. */
const untyped = (value: unknown) => value as ImageSource;

async function message(source: unknown): Promise<string> {
  const error: unknown = await readPixels(untyped(source)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InvalidArgumentError);
  return error instanceof Error ? error.message : '';
}

describe('readPixels', () => {
  it('takes ImageData and drops its alpha', async () => {
    const raster = await readPixels(untyped({ width: 2, height: 1, data: RGBA }));
    expect({ ...raster, data: [...raster.data] }).toEqual({ width: 2, height: 1, channels: 3, data: RGB });
  });

  it('takes a decoded image as it is', async () => {
    const raster = { width: 2, height: 1, channels: 1, data: Uint16Array.of(7, 65535) };
    expect(await readPixels(raster)).toBe(raster);
  });

  it('draws a canvas or bitmap at its own size on a canvas of its own', async () => {
    const drawn: Drawn[] = [];
    withOffscreenCanvas(drawn);
    const canvas = {
      width: 2,
      height: 1,
      // One that the page draws 3-D on has no 2d context to give.
      getContext: () => {
        throw new Error('asked the page for its context');
      },
    };
    const raster = await readPixels(untyped(canvas));
    expect([...raster.data]).toEqual(RGB);
    expect(drawn).toEqual([{ canvas: { width: 2, height: 1 }, image: canvas }]);
  });

  it("draws an <img> at its image's size, not the page's", async () => {
    const drawn: Drawn[] = [];
    withOffscreenCanvas(drawn);
    const raster = await readPixels(untyped({ width: 640, height: 320, naturalWidth: 2, naturalHeight: 1 }));
    expect([raster.width, raster.height]).toEqual([2, 1]);
    expect(drawn[0]?.canvas).toEqual({ width: 2, height: 1 });
  });

  it.each(['no OffscreenCanvas', 'an OffscreenCanvas without a 2d context'])(
    'takes a <canvas> where there is %s',
    async (what) => {
      const [offscreen, drawn]: [Drawn[], Drawn[]] = [[], []];
      if (what.startsWith('an')) withOffscreenCanvas(offscreen, 'missing');
      withDocument(drawn);
      const raster = await readPixels(untyped({ width: 2, height: 1 }));
      expect([...raster.data]).toEqual(RGB);
      expect([offscreen.length, drawn.map(({ canvas }) => canvas)]).toEqual([0, [{ width: 2, height: 1 }]]);
    },
  );

  it('takes tensors: floats as they are, whole numbers that are bytes as bytes', async () => {
    const before = tf.memory().numTensors;
    const tensors = [
      tf.tensor3d([0.5, -1, 300, 2], [1, 2, 2]),
      tf.tensor3d([0, 255], [1, 2, 1], 'int32'),
      tf.tensor3d([0, 256], [1, 2, 1], 'int32'),
      tf.tensor3d([-1, 0], [1, 2, 1], 'int32'),
    ];
    const rasters = await Promise.all(tensors.map(readPixels));
    expect(rasters).toEqual([
      { width: 2, height: 1, channels: 2, data: Float32Array.of(0.5, -1, 300, 2) },
      { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) },
      { width: 2, height: 1, channels: 1, data: Int32Array.of(0, 256) },
      { width: 2, height: 1, channels: 1, data: Int32Array.of(-1, 0) },
    ]);
    expect(tensors.map((tensor) => tensor.isDisposed)).toEqual([false, false, false, false]);
    tf.dispose(tensors);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('messages of readPixels', () => {
  const kinds =
    'An image must be ImageData, a canvas, an ImageBitmap, an <img>, a decoded image {width, height, channels, data} or a Tensor3D.';
  it.each([
    [undefined, `${kinds} Received: undefined.`],
    [null, `${kinds} Received: null.`],
    ['image.png', `${kinds} Received: image.png.`],
    [new Uint8Array(4), `${kinds} Received: Uint8Array.`],
    [{ data: new Uint8Array(4) }, `${kinds} Received: Object.`],
    [
      { width: 2, height: 2, data: new Uint8ClampedArray(12) },
      "ImageData must hold height * width * 4 bytes (2 * 2 * 4). Received: Uint8ClampedArray of 12 values. Pass 'rgba-unorm8' pixels, or a decoded image {width, height, channels, data} with its number of channels.",
    ],
    [
      { width: 1, height: 1, data: new Uint16Array(4) },
      "ImageData must hold height * width * 4 bytes (1 * 1 * 4). Received: Uint16Array of 4 values. Pass 'rgba-unorm8' pixels, or a decoded image {width, height, channels, data} with its number of channels.",
    ],
    [
      { width: 2, height: 2, channels: 1, data: new Uint8Array(3) },
      'An image must have at least one pixel and height * width * channels values. Received: height 2, width 2, channels 1, 3 values.',
    ],
    [
      { width: 0, height: 2, channels: 1, data: new Uint8Array(0) },
      'An image must have at least one pixel and height * width * channels values. Received: height 2, width 0, channels 1, 0 values.',
    ],
    [
      { width: 1.5, height: 2, channels: 1, data: new Uint8Array(3) },
      'An image must have at least one pixel and height * width * channels values. Received: height 2, width 1.5, channels 1, 3 values.',
    ],
    [
      { width: 24, height: 24, naturalWidth: 0, naturalHeight: 0 },
      'The image is empty or not loaded yet. Received: 0x0 pixels. Await image.decode() of an <img>, and draw on a canvas first.',
    ],
    [
      { width: 2, height: 2 },
      'This runtime has no canvas to read the image with. Pass ImageData, or a decoded image {width, height, channels, data}.',
    ],
  ])('%o', async (source, expected) => {
    expect(await message(source)).toBe(expected);
  });

  it('refuses a tensor of another rank or type', async () => {
    const tensors = [tf.zeros([1, 4, 4, 1]), tf.zeros([2, 2, 1], 'bool'), tf.fill([1, 1, 1], 'a', 'string')];
    expect(await Promise.all(tensors.map(message))).toEqual([
      'An image tensor must be [height, width, channels] of float32 or int32. Received: shape [1, 4, 4, 1] of float32.',
      'An image tensor must be [height, width, channels] of float32 or int32. Received: shape [2, 2, 1] of bool.',
      'An image tensor must be [height, width, channels] of float32 or int32. Received: shape [1, 1, 1] of string.',
    ]);
    tf.dispose(tensors);
  });

  it('says why a browser keeps an image of another origin secret', async () => {
    withDocument([], () => {
      throw new Error('The canvas has been tainted by cross-origin data');
    });
    expect(await message({ width: 2, height: 1 })).toBe(
      "The browser does not let this image be read: The canvas has been tainted by cross-origin data. An image of another origin needs crossOrigin = 'anonymous' before it is loaded, and a server that allows it.",
    );
  });
});
