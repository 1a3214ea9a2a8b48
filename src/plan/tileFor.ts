/** The size of the tiles in which the maps of a network lie. */
import type { Op } from './graph/types.js';

/** Tiles of 4 pixels serve dense 3x3 convolutions best, tiles of 3 every larger kernel. */
export function tileFor(ops: readonly Op[]): 3 | 4 {
  const hasLarger = ops.some(
    (op) => op.kind === 'conv' && op.strides[0] === 1 && op.levels.some(({ kernelSize: [k] }) => k > 3),
  );
  return hasLarger ? 3 : 4;
}
