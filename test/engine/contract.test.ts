/** The binaries of the kernels belong to the parameters that they are called with. */
import { expect, test } from 'vitest';
import { assemble } from '../../simd/assembler.js';
import { CONTRACT } from '../../src/engine/contract.js';
import { Engine } from '../../src/engine/engine.js';

test.each([[{}], [{ contract: CONTRACT + 1 }]])('binaries of another contract are refused: %j', (constants) => {
  const binary = assemble([], constants) as Uint8Array<ArrayBuffer>;
  expect(() => new Engine({ base: binary, relaxed: binary }, 1)).toThrow(
    'The binaries of the kernels were written for other parameters than those of this source. Run: npm run kernels.',
  );
});

test('those of this contract are taken', () => {
  const binary = assemble([], { contract: CONTRACT }) as Uint8Array<ArrayBuffer>;
  expect(new Engine({ base: binary, relaxed: binary }, 1).threads).toBe(1);
});
