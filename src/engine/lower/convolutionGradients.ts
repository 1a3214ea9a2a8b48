/** The gradients of a convolution between maps in tiles, by the algorithm that suits each level. */
import type { Place } from '../program.js';
import type { Tiles } from '../tiles.js';
import type { ConvLevel, ConvOp, Precision, Weight } from '../types.js';
import { type Lowering, segmentsOf, type View } from './context.js';
import { algorithmOf, stencilOf } from './convolution.js';
import { type Connection, type Destination, type Finish, forwardConnection } from './filters.js';
import {
  LARGEST_NESTED_GRADIENT,
  lowerDirectGradient,
  lowerNestedGradient,
  lowerPointwiseGradient,
  type OutputGradient,
} from './gradients.js';
import { lowerNested } from './nested.js';
import { lowerPointwise } from './pointwise.js';
import { lowerTransposed } from './transposed.js';

/**
 * Adds the gradients of the filters.
 *
 * @param dy The gradient of the output, whose margins are zero.
 * @param gradientOf Where the gradient of a level's filter goes; levels without a place are left out.
 */
export function lowerFilterGradients(
  lowering: Lowering,
  input: View,
  dy: OutputGradient,
  { op, precision }: { op: ConvOp; precision: Precision },
  gradientOf: (filter: Weight) => Place | undefined,
): void {
  const nested: Connection[] = [];
  const places = new Map<Connection['access'], Place>();
  for (const level of op.levels) {
    const gradient = gradientOf(level.filter);
    if (gradient === undefined) continue;
    const connection = forwardConnection(level, input.channels);
    const stencil = stencilOf(op, level);
    const algorithm = algorithmOf(stencil, level.groups, { from: input.tiles, to: dy.tiles, precision });
    if (algorithm === 'nested' && level.kernelSize[0] <= LARGEST_NESTED_GRADIENT) {
      nested.push(connection);
      places.set(connection.access, gradient);
    } else if (algorithm === 'pointwise') lowerPointwiseGradient(lowering, input, dy, connection, gradient);
    else lowerDirectGradient(lowering, input, dy, { connection, stencil }, gradient);
  }
  if (nested.length > 0) lowerNestedGradient(lowering, input, dy, nested, places);
}

/**
 * The gradient of the input that one level makes.
 *
 * @param dy The gradient of the output of all levels, whose margins are zero.
 * @param connection The level backwards, or a part of it.
 */
export function lowerInputGradient(
  lowering: Lowering,
  dy: View,
  {
    op,
    level,
    connection,
    to,
    precision,
  }: { op: ConvOp; level: ConvLevel; connection: Connection; to: Tiles; precision: Precision },
  finish: Finish,
  destination: Destination,
): void {
  const stencil = stencilOf(op, level);
  const slice: View = {
    tiles: dy.tiles,
    channels: level.end - level.start,
    segments: segmentsOf(dy, level.start, level.end),
  };
  const algorithm = algorithmOf(stencil, level.groups, { from: to, to: dy.tiles, precision });
  if (algorithm === 'pointwise') lowerPointwise(lowering, slice, { connection, precision }, finish, destination);
  else if (algorithm === 'nested') lowerNested(lowering, slice, [connection], finish, destination);
  else {
    // The gradient of a convolution is the transposed one; its filter is read as it lies, inputs and outputs exchanged.
    const { access } = connection;
    const [kh, kw] = level.kernelSize;
    const straight = {
      ...access,
      base: access.base + (kh - 1) * access.row + (kw - 1) * access.column,
      row: -access.row,
      column: -access.column,
    };
    lowerTransposed(
      lowering,
      slice,
      { connection: { ...connection, access: straight }, stencil, to, precision },
      finish,
      destination,
    );
  }
}
