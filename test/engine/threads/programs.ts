/** Random programs of `mix`, and what they give. */
import type { PoolProgram, PoolTask } from '../../../src/engine/threads/program.js';
import { MIX } from './kernels.js';

/** Numbers below a bound, the same for the same seed (an LCG of Numerical Recipes). */
export function randomNumbers(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Cells of a program, 32 bits each, from address 0. */
export const CELLS = 64;

/**
 * Tasks write cells of their own and read these and cells that no task of the phase writes, so that the result does not
 * depend on the order of the tasks of a phase, but very much on that of phases and of the calls of a task.
 */
export function randomProgram(random: (bound: number) => number): PoolProgram {
  return Array.from({ length: random(8) }, () => {
    const tasks = random(6);
    const own = Math.floor(CELLS / 2 / Math.max(1, tasks));
    // Phases write the lower and the upper half in turns, or the same one again.
    const written = random(2) * (CELLS / 2);
    return Array.from({ length: tasks }, (_, task): PoolTask => {
      const cell = (): number => written + task * own + random(own);
      const source = (): number => (random(2) === 0 ? cell() : CELLS / 2 - written + random(CELLS / 2));
      return Array.from({ length: random(5) }, () => ({ kernel: MIX, args: [cell() * 4, source() * 4, source() * 4] }));
    });
  });
}

/** What the cells hold after a program. */
export function expected(program: PoolProgram, cells: Int32Array): Int32Array {
  const result = cells.slice();
  for (const phase of program) {
    for (const task of phase) {
      for (const { args } of task) {
        const [to, a, b] = args.map((address) => address / 4);
        result[to] = (Math.imul(3, result[a]) + result[b]) | 0;
      }
    }
  }
  return result;
}
