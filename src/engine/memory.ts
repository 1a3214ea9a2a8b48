/** The static memory plan: buffers of the arena share places where no step needs both. */
import { placedBytes } from './heap.js';
import { type Buffer, buffersOf, type Step } from './program.js';

/** Places of the buffers of a program, relative to the start of their block. */
export interface MemoryPlan {
  readonly arena: ReadonlyMap<Buffer, number>;
  readonly arenaBytes: number;
  readonly tables: ReadonlyMap<Buffer, number>;
  readonly tableBytes: number;
}

interface Lifetime {
  readonly buffer: Buffer;
  first: number;
  last: number;
}

type Placed = Lifetime & { readonly start: number; readonly end: number };

function lifetimes(steps: readonly Step[], always: readonly Buffer[]): Map<Buffer, Lifetime> {
  const found = new Map<Buffer, Lifetime>();
  for (const [index, step] of steps.entries()) {
    for (const buffer of buffersOf(step)) {
      const known = found.get(buffer);
      if (known === undefined) found.set(buffer, { buffer, first: index, last: index });
      else known.last = index;
    }
  }
  for (const buffer of always) found.set(buffer, { buffer, first: 0, last: steps.length });
  return found;
}

/**
 * Plans the memory of a program: the largest buffers first, each at the lowest place that is free during its steps.
 *
 * @param always Buffers that live through the whole program: what is written before it and read behind it.
 */
export function planMemory(steps: readonly Step[], always: readonly Buffer[]): MemoryPlan {
  const lives = [...lifetimes(steps, always).values()];
  const arena = new Map<Buffer, number>();
  const tables = new Map<Buffer, number>();
  let arenaBytes = 0;
  let tableBytes = 0;
  const placed: Placed[] = [];
  /** Those that a step needs. */
  const placedIn = new Map<number, Placed[]>();
  for (const { buffer } of lives) {
    if (buffer.kind !== 'table') continue;
    tables.set(buffer, tableBytes);
    tableBytes += placedBytes(buffer.bytes);
  }
  const arenaLives = lives.filter(({ buffer }) => buffer.kind === 'arena');
  for (const life of arenaLives.sort((a, b) => b.buffer.bytes - a.buffer.bytes)) {
    const size = placedBytes(life.buffer.bytes);
    // A packing has thousands of buffers, each for one step.
    const rivals =
      life.first === life.last
        ? [...(placedIn.get(life.first) ?? [])]
        : placed.filter(({ first, last }) => first <= life.last && life.first <= last);
    rivals.sort((a, b) => a.start - b.start);
    let start = 0;
    for (const rival of rivals) {
      if (start + size <= rival.start) break;
      start = Math.max(start, rival.end);
    }
    const place = { ...life, start, end: start + size };
    placed.push(place);
    for (let step = life.first; step <= life.last; step++) {
      const known = placedIn.get(step);
      if (known === undefined) placedIn.set(step, [place]);
      else known.push(place);
    }
    arena.set(life.buffer, start);
    arenaBytes = Math.max(arenaBytes, start + size);
  }
  return { arena, arenaBytes, tables, tableBytes };
}
