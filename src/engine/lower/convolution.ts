/** A convolution in the direction of its output, by the algorithm that suits each level. */

import type { Tiles } from '../tiles.js';
import type { ConvLevel, ConvOp, Precision, TransposedOp } from '../types.js';
import type { Lowering, View } from './context.js';
import { lowerDirect, type Stencil } from './direct.js';
import { type Connection, type Destination, type Finish, forwardConnection, transposedAccess } from './filters.js';
import { isNestable, lowerNested } from './nested.js';
import { lowerPointwise } from './pointwise.js';
import { lowerTransposed, transposedStencil } from './transposed.js';

/** How a level moves over its input. */
export const stencilOf = ({ strides, dilations }: ConvOp, { kernelSize, padding }: ConvLevel): Stencil => ({
  kernelSize,
  strides,
  dilations,
  before: [padding.top, padding.left],
});

/** The algorithm of a convolution. */
export type Algorithm = 'pointwise' | 'nested' | 'direct';

/** The algorithm for a convolution between two maps. */
export function algorithmOf(
  stencil: Stencil,
  groups: number,
  { from, to, precision }: { from: Tiles; to: Tiles; precision: Precision },
): Algorithm {
  const sameSize = from.height === to.height && from.width === to.width;
  const { kernelSize, strides, before } = stencil;
  if (groups === 1 && sameSize && [...kernelSize, ...strides].every((n) => n === 1) && before.every((n) => n === 0)) {
    return 'pointwise';
  }
  return precision === 'fast' && isNestable(stencil, to.tile, sameSize) ? 'nested' : 'direct';
}

/** Lowers all levels; the name of the step says by which algorithms. */
export function lowerConv(
  lowering: Lowering,
  input: View,
  { op, to, precision }: { op: ConvOp; to: Tiles; precision: Precision },
  finish: Finish,
  destination: Destination,
): string {
  const nested: Connection[] = [];
  const kinds = new Set<string>();
  for (const level of op.levels) {
    const connection = forwardConnection(level, input.channels);
    const stencil = stencilOf(op, level);
    const algorithm = algorithmOf(stencil, level.groups, { from: input.tiles, to, precision });
    kinds.add(algorithm === 'pointwise' ? '1x1' : algorithm);
    if (algorithm === 'nested') nested.push(connection);
    else if (algorithm === 'pointwise') lowerPointwise(lowering, input, { connection, precision }, finish, destination);
    else lowerDirect(lowering, input, { connection, stencil, to }, finish, destination);
  }
  if (nested.length > 0) lowerNested(lowering, input, nested, finish, destination);
  return [...kinds].join(' + ');
}

/** Lowers a transposed convolution. */
export function lowerTransposedConv(
  lowering: Lowering,
  input: View,
  { op, to, outputs, precision }: { op: TransposedOp; to: Tiles; outputs: number; precision: Precision },
  finish: Finish,
  destination: Destination,
): void {
  const connection: Connection = {
    access: transposedAccess(op, input.channels, outputs),
    kernelSize: op.kernelSize,
    groups: 1,
    inputs: input.channels,
    outputs,
    start: 0,
  };
  lowerTransposed(lowering, input, { connection, stencil: transposedStencil(op), to, precision }, finish, destination);
}
