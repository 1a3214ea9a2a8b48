/** Memory that kernels work in, and who gives parts of it out. */
import { OutOfMemoryError } from '../runtime/errors.js';
import { MOST_PAGES, newSharedMemory } from './sharedMemory.js';
import { roundUp } from './tiles.js';

const PAGE = 65536;
/** Bytes that so many take: whatever gets a place begins on a line of the cache. */
export const placedBytes = (bytes: number): number => roundUp(bytes, 64);

/** Address 0 stays unused. */
const FIRST_ADDRESS = 1024;

/** Memory that is taken. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

/** A memory and its blocks. */
export interface Heap {
  readonly memory: WebAssembly.Memory;
  /**
   * Takes a block.
   *
   * @throws OutOfMemoryError where the memory cannot grow so far; nothing is changed then.
   */
  allocate(bytes: number): Block;
  free(block: Block): void;
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);

/** Whether threads can share a memory. */
export const isShared = ({ buffer }: WebAssembly.Memory): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;

/** A memory for one engine alone. */
export class OwnHeap implements Heap {
  readonly memory: WebAssembly.Memory;
  private readonly blocks: Block[] = [];

  /**
   * @param shared Whether threads share it, where memory can be shared.
   * @param expected Bytes that will be needed, as far as is known: each time that a memory grows, an engine may look for garbage.
   */
  constructor(shared: boolean, expected = 0) {
    const memory = shared ? newSharedMemory() : null;
    this.memory = memory ?? new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES });
    try {
      this.memory.grow(Math.min(Math.ceil(expected / PAGE), MOST_PAGES - 1));
    } catch {
      // It may be that less is needed; else the block that finds no place says so.
    }
  }

  allocate(bytes: number): Block {
    const size = placedBytes(bytes);
    let start = FIRST_ADDRESS;
    for (const block of this.blocks) {
      if (start + size <= block.start) break;
      start = Math.max(start, block.end);
    }
    const end = start + size;
    const present = this.memory.buffer.byteLength;
    const missing = Math.ceil((end - present) / PAGE);
    if (missing > 0) {
      try {
        this.memory.grow(missing);
      } catch {
        throw new OutOfMemoryError(
          `The planned engine could not get ${megabytes(bytes)} MB more; its memory holds ${megabytes(present)} MB and ends at ${megabytes(PAGE * MOST_PAGES)} MB. Use a smaller image or batch.`,
        );
      }
    }
    const block = { start, end };
    this.blocks.push(block);
    this.blocks.sort((a, b) => a.start - b.start);
    return block;
  }

  free(block: Block): void {
    const index = this.blocks.indexOf(block);
    if (index >= 0) this.blocks.splice(index, 1);
  }
}
