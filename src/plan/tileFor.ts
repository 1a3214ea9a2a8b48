/** The size of the tiles in which the maps of a network lie. */
import { tileFor as tileForOne } from '../engine/convolution.js';
import type { Op } from './graph/types.js';

/** That of its largest kernel. */
export const tileFor = (ops: readonly Op[]): 3 | 4 =>
  ops.some((op) => op.kind === 'conv' && tileForOne(op) === 3) ? 3 : 4;
