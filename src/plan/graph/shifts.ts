/** Paddings and crops taken into the convolution or pooling beside them, where nothing changes by it. */
import type { MapShape, Pair, TransposedOp } from '../../engine/types.js';
import type { Op } from './types.js';

/**
 * A convolution or pooling that reads a padded map as one that pads itself.
 *
 * @param shapes Of the map that is padded and of the padded one.
 * @returns Null where the map was cropped on any side, or where a pooling has a padding of its own, which counts otherwise.
 */
export function withPadding(
  op: Op,
  [rows, columns]: Pair,
  { from, to }: { readonly from: MapShape; readonly to: MapShape },
): Op | null {
  const isCropped = rows > 0 || columns > 0 || to.height + rows < from.height || to.width + columns < from.width;
  if (isCropped) return null;
  const pad = <T extends { padding: { top: number; left: number; bottom: number; right: number } }>(item: T): T => ({
    ...item,
    padding: { ...item.padding, top: item.padding.top - rows, left: item.padding.left - columns },
  });
  if (op.kind === 'conv') return { ...op, levels: op.levels.map(pad) };
  if (op.kind === 'pool' && Object.values(op.padding).every((side) => side === 0)) return { ...pad(op), zeros: true };
  return null;
}

/** A transposed convolution whose map is cropped; null where the shift also pads it, as the frame would get the bias. */
export function cropped(
  op: TransposedOp,
  { height, width }: MapShape,
  { shift: [rows, columns], shape }: { readonly shift: Pair; readonly shape: MapShape },
): TransposedOp | null {
  const isWithin = rows >= 0 && columns >= 0 && rows + shape.height <= height && columns + shape.width <= width;
  return isWithin ? { ...op, shift: [op.shift[0] + rows, op.shift[1] + columns] } : null;
}
