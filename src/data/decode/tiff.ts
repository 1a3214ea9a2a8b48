/** TIFF through the library tiff: all pages, unsigned, signed and float samples. */
import { decode, type TiffIfd } from 'tiff';
import type { Raster, RasterData } from '../raster.js';
import { type IndexedAs, keepChannels, resolveIndexed } from './channels.js';
import { joinPairs, type PageTags, retag } from './tiffTags.js';

const unsigned = 1;
const signed = 2;
const float = 3;
const whiteIsZero = 0;
const paletteColour = 3;

/** Decodes every page; thumbnails and the smaller levels of a pyramid are left out. */
export function decodeTiff(bytes: Uint8Array, indexedAs: IndexedAs): Raster[] {
  const tags = decode(bytes, { ignoreImageData: true });
  tags.forEach((page, index) => {
    if (!isReduced(page)) refuseUnsupported(page, index);
  });
  const changes = tags.map((page): PageTags => ({ asPairs: isInteger32(page), addOneBit: isBare(page) }));
  const asIs = changes.every(({ asPairs, addOneBit }) => !asPairs && !addOneBit);
  const pages = decode(asIs ? bytes : retag(bytes, changes));
  const littleEndian = bytes[0] === 0x49;
  return pages.flatMap((page, index) =>
    isReduced(page) ? [] : [toRaster(tags[index], page, { indexedAs, littleEndian })],
  );
}

/** The number of pages that `decodeTiff` gives, without decoding their pixels. */
export function countTiffPages(bytes: Uint8Array): number {
  return decode(bytes, { ignoreImageData: true }).filter((page) => !isReduced(page)).length;
}

function isReduced(page: TiffIfd): boolean {
  const subfile: number | undefined = page.get('NewSubfileType');
  return subfile !== undefined && (subfile & 1) === 1;
}

function isInteger32(page: TiffIfd): boolean {
  return page.bitsPerSample === 32 && (page.sampleFormat === unsigned || page.sampleFormat === signed);
}

/** A page that does not say how many bits its samples have: one, by the specification. */
function isBare(page: TiffIfd): boolean {
  return page.get('BitsPerSample') === undefined;
}

/** What the library would decode wrongly without saying so. */
function refuseUnsupported(page: TiffIfd, index: number): void {
  const { samplesPerPixel, bitsPerSample, sampleFormat } = page;
  const where = `page ${index}`;
  if (samplesPerPixel > 4 || (samplesPerPixel === 4 && page.extraSamples === undefined)) {
    throw new Error(`${where} has ${samplesPerPixel} channels, which is neither grey nor RGB`);
  }
  if (samplesPerPixel > 1 && page.planarConfiguration !== 1) throw new Error(`${where} stores its channels apart`);
  if (samplesPerPixel > 1 && page.tiled) throw new Error(`${where} stores several channels in tiles`);
  if (bitsPerSample === 16 && sampleFormat === float) throw new Error(`${where} has 16-bit float samples`);
  if (bitsPerSample === 32 && page.predictor !== 1) throw new Error(`${where} uses a predictor on 32-bit samples`);
  if (page.type === whiteIsZero && sampleFormat !== unsigned) throw new Error(`${where} inverts samples with a sign`);
}

interface Reading {
  readonly indexedAs: IndexedAs;
  readonly littleEndian: boolean;
}

function toRaster(tags: TiffIfd, page: TiffIfd, reading: Reading): Raster {
  const { width, height, samplesPerPixel } = tags;
  if (tags.type === paletteColour) {
    // A TIFF's palette has 16 bits a colour.
    const palette = (page.palette ?? []).map((colour) => colour.map((value) => value >> 8));
    const indices = Uint8Array.from(page.data);
    return { width, height, ...resolveIndexed({ width, height, indices, palette }, reading.indexedAs) };
  }
  const kept = samplesPerPixel < 3 ? 1 : 3;
  const data = typedSamples(tags, page, reading.littleEndian);
  return { width, height, channels: kept, data: keepChannels(data, samplesPerPixel, kept) };
}

/** The library gives unsigned arrays whatever the sample format says, and bits as 0 and 1. */
function typedSamples(tags: TiffIfd, page: TiffIfd, littleEndian: boolean): RasterData {
  const { data } = page;
  if (isBare(tags) || tags.bitsPerSample === 1) return Uint8Array.from(data, (bit) => bit * 255);
  if (isInteger32(tags))
    return tags.sampleFormat === signed
      ? joinPairs(data, littleEndian, Int32Array)
      : joinPairs(data, littleEndian, Uint32Array);
  if (tags.sampleFormat !== signed) return data;
  if (data instanceof Uint8Array) return Int16Array.from(data, (value) => (value << 24) >> 24);
  return Int16Array.from(data);
}
