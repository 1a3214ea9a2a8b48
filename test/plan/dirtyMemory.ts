/** Memory of WebAssembly that holds no zeros where nothing was written: what a plan leaves behind in its second run. */

/** NaN wherever the memory is new, so that whoever reads it computes no number. */
class DirtyMemory extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    new Float32Array(this.buffer).fill(Number.NaN);
  }

  override grow(pages: number): number {
    const before = super.grow(pages);
    new Float32Array(this.buffer, before * 2 ** 16).fill(Number.NaN);
    return before;
  }
}

const { Memory } = WebAssembly;

/** Makes every memory that is created from now on dirty. */
export function useDirtyMemory(): void {
  WebAssembly.Memory = DirtyMemory;
}

/** Ends {@link useDirtyMemory}. */
export function useCleanMemory(): void {
  WebAssembly.Memory = Memory;
}
