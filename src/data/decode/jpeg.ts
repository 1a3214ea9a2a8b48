/** JPEG through jpeg-js: grey files as one channel, all others as RGB. */
import jpeg from 'jpeg-js';
import { isGrey, type Raster } from '../raster.js';
import { keepChannels } from './channels.js';

/** Decodes a JPEG; the EXIF orientation is not applied, as in Pillow, because masks follow the stored pixels. */
export function decodeJpeg(bytes: Uint8Array): Raster {
  const { width, height, data } = jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false });
  const rgb: Raster = { width, height, channels: 3, data };
  // The decoder repeats a grey file's values in all three channels and does not tell how many the file has.
  return isGrey(rgb) ? { width, height, channels: 1, data: keepChannels(data, 3, 1) } : rgb;
}
