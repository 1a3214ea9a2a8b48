/** Images into maps and back, and the zeros around a map. */
import { Place } from '../program.js';
import type { Lowering, Target } from './context.js';

/** Zeros in a map's margins, for those that read beyond its border. */
export function lowerMargins(lowering: Lowering, { tiles, place, channels }: Target): void {
  const { batch, first, sampleStride, planeStride } = tiles;
  for (let sample = 0; sample < batch; sample++) {
    lowering.program.call('zeroMargins', {
      map: place,
      channelStride: tiles.channelStride,
      planeStride,
      tile: tiles.tile,
      begin: sample === 0 ? 0 : first + sample * sampleStride,
      first: first + sample * sampleStride,
      end: sample === batch - 1 ? planeStride : first + (sample + 1) * sampleStride,
      pitch: tiles.pitch,
      height: tiles.height,
      width: tiles.width,
      count: channels,
    });
  }
}

/** Channels of images [batch, height, width, imageChannels]. */
export interface Images {
  /** The first of the channels. */
  readonly place: Place;
  readonly imageChannels: number;
}

/** Images whose channels go into a map, or come from it, in order. */
export function lowerTransfer(
  lowering: Lowering,
  kernel: 'toTiles' | 'fromTiles',
  { tiles, place, channels }: Target,
  image: Place | Images,
): void {
  const { channelStride, planeStride, tile, first, pitch, height, width, batch, sampleStride } = tiles;
  const images = image instanceof Place ? { place: image, imageChannels: channels } : image;
  for (let sample = 0; sample < batch; sample++) {
    lowering.program.call(kernel, {
      image: images.place.plus(4 * sample * height * width * images.imageChannels),
      imageChannels: images.imageChannels,
      channels,
      map: place,
      channelStride,
      planeStride,
      tile,
      first: first + sample * sampleStride,
      pitch,
      height,
      width,
    });
  }
}
