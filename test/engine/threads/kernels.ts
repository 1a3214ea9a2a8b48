/** A small module for pools: arithmetic that shows a wrong order, work that takes a while, traps, and a kernel that does nothing. */
import { type AssembledFunction, assemble } from '../../../simd/assembler.js';

const get = (local: number): number[] => [0x20, local];
const LOAD = [0x28, 2, 0];
const STORE = [0x36, 2, 0];
const constant = (value: number): number[] => [0x41, value];

const functions: AssembledFunction[] = [
  {
    // memory[to] = 3 memory[a] + memory[b]
    name: 'mix',
    params: 3,
    locals: [],
    code: [...[...get(0), ...get(1), ...LOAD, ...constant(3), 0x6c], ...[...get(2), ...LOAD, 0x6a, ...STORE]],
  },
  {
    // Counts down from its argument.
    name: 'count',
    params: 1,
    locals: [],
    code: [0x03, 0x40, ...get(0), ...constant(1), 0x6b, 0x22, 0, 0x0d, 0, 0x0b],
  },
  { name: 'trap', params: 0, locals: [], code: [0x00] },
  { name: 'read', params: 1, locals: [], code: [...get(0), ...LOAD, 0x1a] },
  {
    // Says at its third argument that another call has come to its first one; gives up after some rounds.
    name: 'meet',
    params: 3,
    locals: [],
    code: [
      ...[...get(0), ...constant(1), 0xfe, 0x1e, 2, 0, 0x1a],
      ...[0x03, 0x40],
      ...[...get(0), 0xfe, 0x10, 2, 0, ...constant(2), 0x4e, 0x04, 0x40],
      ...[...get(2), ...constant(1), ...STORE, 0x0f, 0x0b],
      ...[...get(1), ...constant(1), 0x6b, 0x22, 1, 0x0d, 0, 0x0b],
    ],
  },
  // Tests give it another meaning in workers.
  { name: 'special', params: 1, locals: [], code: [] },
];

export const BYTES = assemble(functions) as Uint8Array<ArrayBuffer>;
export const KERNELS = functions.map(({ name }) => name);
export const [MIX, COUNT, TRAP, READ, MEET, SPECIAL] = KERNELS.keys();

export const compile = (): WebAssembly.Module => new WebAssembly.Module(BYTES);

export const sharedMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
