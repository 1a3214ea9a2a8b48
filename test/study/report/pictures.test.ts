/** The pictures of Fig. 4, decoded again: image, mask, prediction with the true contour; large ones are reduced. */
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src/data/decode/index.js';
import { imageUri, maskUri, predictionUri, shownImage, shownMask } from '../../../src/study/report/html/pictures.js';

function decoded(uri: string) {
  const bytes = Uint8Array.from(atob(uri.replace('data:image/png;base64,', '')), (character) =>
    character.charCodeAt(0),
  );
  const [raster] = decodeImage(bytes, 'picture.png');
  if (raster === undefined) throw new Error('There is no page.');
  return raster;
}

const sample = (width: number, height: number, channels: number, value: (i: number) => number) => ({
  name: 'x',
  width,
  height,
  channels,
  image: Float32Array.from({ length: width * height * channels }, (_, i) => value(i)),
  mask: Uint8Array.from({ length: width * height }, (_, i) => (i % width < width / 2 ? 1 : 0)),
});

describe('the pictures', () => {
  it('hold the image from black to white, the mask, and the prediction beside the red contour', () => {
    const one = sample(4, 2, 1, (i) => [-1, -0.5, 0, 1][i % 4] ?? 0);
    const shown = shownImage(one);
    expect([...decoded(imageUri(shown)).data.slice(0, 4)]).toEqual([0, 64, 128, 255]);
    expect([...decoded(maskUri(shown, one.mask)).data]).toEqual([255, 255, 0, 0, 255, 255, 0, 0]);
    const picture = decoded(predictionUri(shown, Uint8Array.of(1, 1, 1, 0, 1, 1, 1, 0), one.mask));
    expect(picture.channels).toBe(3);
    const pixel = (i: number) => [...picture.data.slice(3 * i, 3 * i + 3)];
    // The truth ends in column 1: there its contour; column 2 is predicted in vain; column 3 is left as it was.
    expect(pixel(1)).toEqual([230, 0, 0]);
    expect(pixel(2)[2]).toBeGreaterThan((pixel(2)[0] ?? 0) + 60);
    expect(pixel(3)).toEqual([255, 255, 255]);
  });

  it('keep colours, and show other numbers of channels in grey', () => {
    const colour = shownImage(sample(2, 2, 3, (i) => (i % 3 === 0 ? 1 : -1)));
    expect([...decoded(imageUri(colour)).data.slice(0, 3)]).toEqual([255, 0, 0]);
    const two = decoded(imageUri(shownImage(sample(2, 2, 2, (i) => (i % 2 === 0 ? 1 : -1)))));
    expect([two.channels, two.data[0]]).toEqual([1, 127]);
  });

  it('are reduced by a whole factor, labels by majority', () => {
    const large = sample(600, 300, 1, (i) => (i % 600 < 300 ? -1 : 1));
    const shown = shownImage(large);
    expect([shown.width, shown.height, shown.factor]).toEqual([200, 100, 3]);
    const mask = shownMask(large.mask, large, shown.factor);
    expect(mask.reduce((sum, label) => sum + label, 0)).toBe(100 * 100);
    expect([shown.pixels[0], shown.pixels[199]]).toEqual([0, 255]);
  });
});
