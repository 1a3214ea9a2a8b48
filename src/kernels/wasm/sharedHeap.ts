/** tfjs's single-threaded binary with a heap that threads can share. */

/** What tfjs declares in the memory section of 4.22: one memory of 256 to 65536 pages, with a maximum, not shared. */
const DECLARED = [1, 1, 0x80, 2, 0x80, 0x80, 4];
const MEMORY_SECTION = 5;
/** Limits with a maximum, shared. */
const SHARED = 3;

/** A number of variable length, and where it ends. */
function readNumber(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let shift = 0, end = at; ; shift += 7) {
    const byte = bytes[end++];
    value |= (byte & 127) << shift;
    if (byte < 128) return { value, end };
  }
}

/**
 * The same binary with its memory declared as shared.
 *
 * @throws Error where the binary declares another memory than that of tfjs 4.22.
 */
export function withSharedMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  // Behind the magic number and the version, section by section: kind, length, content.
  for (let at = 8; at < binary.length; ) {
    const { value: length, end: content } = readNumber(binary, at + 1);
    if (binary[at] === MEMORY_SECTION && DECLARED.every((byte, i) => binary[content + i] === byte)) {
      const copy = binary.slice();
      copy[content + 1] = SHARED;
      return copy;
    }
    at = content + length;
  }
  throw new Error(
    'The binary of backend wasm has no memory that can be shared: it is not that of @tensorflow/tfjs-backend-wasm 4.22.',
  );
}
