/** Pixels as the address of an image that stands in the page itself. */
import { encodePng, type PngPixels } from '../../../data/index.js';

/** A PNG as a data URI. */
export function pngUri(pixels: PngPixels): string {
  const bytes = encodePng(pixels);
  let binary = '';
  for (let i = 0; i < bytes.length; i += 4096) binary += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return `data:image/png;base64,${btoa(binary)}`;
}
