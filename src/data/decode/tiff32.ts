/**
 * 32-bit integers in TIFF. The library reads 32 bits as floats only, and a float does not keep every integer's bits
 * (-1 is a NaN); so it is shown such a page as one of twice the width with 16 bits a sample.
 */

const bitsPerSample = 258;
const widthTags = [256, 322]; // ImageWidth, TileWidth
const short = 3;

/**
 * A copy of the file in which the chosen pages are described as twice as wide, with 16 bits a sample.
 *
 * @param pages For each page, in the file's order, whether it is to be described so.
 */
export function asPairsOf16(bytes: Uint8Array, pages: readonly boolean[]): Uint8Array {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  const little = copy[0] === 0x49;
  let directory = view.getUint32(4, little);
  for (const chosen of pages) {
    const entries = view.getUint16(directory, little);
    for (let i = 0; chosen && i < entries; i++) describeAsPairs(view, directory + 2 + 12 * i, little);
    directory = view.getUint32(directory + 2 + 12 * entries, little);
  }
  return copy;
}

function describeAsPairs(view: DataView, entry: number, little: boolean): void {
  const tag = view.getUint16(entry, little);
  const value = entry + 8;
  if (tag === bitsPerSample) {
    // Values of more than four bytes lie elsewhere; the library reads the first only.
    const count = view.getUint32(entry + 4, little);
    view.setUint16(count > 2 ? view.getUint32(value, little) : value, 16, little);
  } else if (widthTags.includes(tag)) {
    if (view.getUint16(entry + 2, little) === short) {
      const width = view.getUint16(value, little);
      if (width > 32767) throw new Error(`it has 32-bit integers and is wider than 32767 pixels`);
      view.setUint16(value, 2 * width, little);
    } else {
      view.setUint32(value, 2 * view.getUint32(value, little), little);
    }
  }
}

/** Puts the 16-bit halves together again; which half comes first is the file's byte order. */
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
