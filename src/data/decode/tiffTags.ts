/**
 * Changes to a TIFF's tags, so that the library reads what it would refuse. It reads 32 bits as floats only, and a float
 * does not keep every integer's bits (-1 is a NaN): such a page is described as twice as wide, with 16 bits a sample. It
 * knows no default for the bits of a sample, which Pillow leaves out for pages of single bits.
 */

const imageWidth = 256;
const bitsPerSample = 258;
const tileWidth = 322;
const short = 3;
const entryBytes = 12;

/** A page as the library is to see it. */
export interface PageTags {
  /** Describe the page as twice as wide, with 16 bits a sample. */
  readonly asPairs: boolean;
  /** Add the tag that says one bit a sample. */
  readonly addOneBit: boolean;
}

/**
 * A copy of the file with other tags.
 *
 * @param pages For each page, in the file's order, what is to change.
 */
export function retag(bytes: Uint8Array, pages: readonly PageTags[]): Uint8Array {
  // Directories are copied behind the file; all of them together take less than the file and one entry each.
  const adds = pages.filter(({ addOneBit }) => addOneBit).length;
  const grown = new Uint8Array(adds === 0 ? bytes.length : 2 * bytes.length + (entryBytes + 2) * adds + 2);
  grown.set(bytes);
  const view = new DataView(grown.buffer);
  const little = bytes[0] === 0x49;
  // Directories begin on even bytes.
  let end = bytes.length + (bytes.length % 2);
  let pointer = 4;
  for (const { asPairs, addOneBit } of pages) {
    let directory = view.getUint32(pointer, little);
    if (addOneBit) {
      const added = addBitsPerSample(view, { from: directory, to: end, little });
      view.setUint32(pointer, end, little);
      directory = end;
      end += added;
    }
    const entries = view.getUint16(directory, little);
    if (asPairs) {
      for (let i = 0; i < entries; i++) describeAsPairs(view, directory + 2 + entryBytes * i, little);
    }
    pointer = directory + 2 + entryBytes * entries;
  }
  return grown;
}

/** Copies a directory with one more entry, and gives the number of bytes that the copy takes. */
function addBitsPerSample(view: DataView, { from, to, little }: { from: number; to: number; little: boolean }): number {
  const entries = view.getUint16(from, little);
  const bytes = new Uint8Array(view.buffer);
  view.setUint16(to, entries + 1, little);
  // The library does not mind the order of the entries: the new one stands first.
  view.setUint16(to + 2, bitsPerSample, little);
  view.setUint16(to + 4, short, little);
  view.setUint32(to + 6, 1, little);
  view.setUint16(to + 10, 1, little);
  bytes.copyWithin(to + 2 + entryBytes, from + 2, from + 2 + entryBytes * entries + 4);
  return 2 + entryBytes * (entries + 1) + 4;
}

function describeAsPairs(view: DataView, entry: number, little: boolean): void {
  const tag = view.getUint16(entry, little);
  const value = entry + 8;
  if (tag === bitsPerSample) {
    // Values of more than four bytes lie elsewhere; the library reads the first only.
    const count = view.getUint32(entry + 4, little);
    view.setUint16(count > 2 ? view.getUint32(value, little) : value, 16, little);
  } else if (tag === imageWidth || tag === tileWidth) {
    if (view.getUint16(entry + 2, little) === short) {
      const width = view.getUint16(value, little);
      if (width > 32767) throw new Error(`it has 32-bit integers and is wider than 32767 pixels`);
      view.setUint16(value, 2 * width, little);
    } else {
      view.setUint32(value, 2 * view.getUint32(value, little), little);
    }
  }
}

/** Puts the 16-bit halves of 32-bit integers together again; which half comes first is the file's byte order. */
export function joinPairs<T extends Int32Array | Uint32Array>(
  halves: ArrayLike<number>,
  littleEndian: boolean,
  Type: new (length: number) => T,
): T {
  const out = new Type(halves.length / 2);
  const low = littleEndian ? 0 : 1;
  for (let i = 0; i < out.length; i++) out[i] = halves[2 * i + low] + halves[2 * i + 1 - low] * 0x10000;
  return out;
}
