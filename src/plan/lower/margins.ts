/** Which maps need zeros around their pixels. */
import type { Lowering } from '../../engine/lower/context.js';
import { readsPlanes } from '../../engine/lower/pointwise.js';
import type { MapShape, Precision } from '../../engine/types.js';
import type { FoldedNode } from '../graph/fold.js';
import { runsBeside } from './composed.js';

type Node = Pick<FoldedNode, 'op' | 'inputs'> & { readonly shape: MapShape };

/** Whether a node reads beyond the border of its input, over a list that may name a place outside, or places between pixels. */
function readsMargins(lowering: Lowering, nodes: readonly Node[], { op, inputs, shape }: Node, precision: Precision) {
  const channelsOf = (ids: readonly number[]) => ids.reduce((sum, id) => sum + (nodes[id]?.shape.channels ?? 0), 0);
  const tiles = lowering.tilesOf(shape);
  switch (op.kind) {
    case 'conv':
      return op.levels.some(
        ({ kernelSize, padding, groups, start, end }) =>
          kernelSize.some((k) => k > 1) ||
          padding.top + padding.left > 0 ||
          (groups === 1 &&
            op.strides.every((n) => n === 1) &&
            readsPlanes(lowering, tiles, { inner: channelsOf(inputs), outputs: end - start }, precision)),
      );
    case 'transposed':
    case 'shift':
      return true;
    case 'composed':
      return (
        op.transposed.kernelSize.some((k, axis) => k !== op.transposed.strides[axis]) ||
        runsBeside(op, channelsOf(inputs.slice(1))).some(({ count }) =>
          readsPlanes(lowering, tiles, { inner: count, outputs: shape.channels }, precision),
        )
      );
    case 'pool':
      return op.zeros;
    default:
      return false;
  }
}

/** Nodes whose maps need zeros around them. Of a concatenation, all its parts. */
export function nodesWithMargins(lowering: Lowering, nodes: readonly Node[], precision: Precision): Set<number> {
  const found = new Set<number>();
  const mark = (id: number): void => {
    found.add(id);
    const node = nodes[id];
    if (node?.op.kind === 'concat') node.inputs.forEach(mark);
  };
  for (const node of nodes) if (readsMargins(lowering, nodes, node, precision)) node.inputs.forEach(mark);
  return found;
}
