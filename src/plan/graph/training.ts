/** The folds that training allows: ReLUs into the operation before them, paddings and crops into the convolution beside them. */

import type { MapShape } from '../../engine/types.js';
import { requireSeveralValues } from '../../spec/index.js';
import { cropped, withPadding } from './shifts.js';
import type { Graph, Node, Op } from './types.js';

/** An operation with a ReLU behind it, or without. */
export interface TrainingNode {
  readonly name: string;
  readonly op: Op;
  readonly relu: boolean;
  readonly inputs: readonly number[];
  readonly shape: MapShape;
}

export interface TrainingGraph {
  readonly nodes: readonly TrainingNode[];
  readonly outputs: readonly number[];
  /** How often the map of each node is read, by nodes and as an output. */
  readonly readers: readonly number[];
}

/** Operations that can end in a ReLU. */
const RECTIFIED = ['conv', 'transposed', 'norm', 'add'];

/** An operation that takes in the one before it, or null. */
function merged(before: TrainingNode, { op, shape }: Node): Pick<TrainingNode, 'op' | 'relu'> | null {
  if (op.kind === 'activation' && op.activation === 'relu' && !before.relu && RECTIFIED.includes(before.op.kind)) {
    return { op: before.op, relu: true };
  }
  if (op.kind !== 'shift' || before.op.kind !== 'transposed' || before.relu) return null;
  const transposed = cropped(before.op, before.shape, { shift: op.shift, shape });
  return transposed === null ? null : { op: transposed, relu: false };
}

/** How often each node of a graph is read. */
export function countReaders({ nodes, outputs }: Graph): number[] {
  const readers = new Array<number>(nodes.length).fill(0);
  for (const id of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) readers[id] = (readers[id] ?? 0) + 1;
  return readers;
}

/**
 * Refuses images whose normalisations would take the statistics of one value.
 *
 * @param batch Images that are computed at once.
 * @throws InvalidArgumentError.
 */
export function requireStatistics({ nodes, readers }: TrainingGraph, batch: number): void {
  for (const [id, { op, shape }] of nodes.entries()) {
    if (op.kind !== 'norm' || op.isFrozen || readers[id] === 0) continue;
    requireSeveralValues([batch, shape.height, shape.width, shape.channels]);
  }
}

/** Folds a graph for training. */
export function foldForTraining(graph: Graph): TrainingGraph {
  const reads = countReaders(graph);
  const nodes: TrainingNode[] = [];
  // Where the map of each node of the graph is made.
  const place: number[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => place[id] ?? 0);
    const [only = 0] = inputs;
    const before = nodes[only];
    const isSingle = node.inputs.length === 1 && reads[node.inputs[0] ?? 0] === 1 && before !== undefined;
    const taken = isSingle ? merged(before, node) : null;
    if (taken !== null && before !== undefined) {
      nodes[only] = { ...before, ...taken, shape: node.shape };
      place.push(only);
      continue;
    }
    const source = nodes[before?.inputs[0] ?? 0];
    const padded =
      isSingle && before.op.kind === 'shift' && source !== undefined
        ? withPadding(node.op, before.op.shift, { from: source.shape, to: before.shape })
        : null;
    const { name, shape } = node;
    place.push(nodes.length);
    if (padded === null) {
      const isRelu = node.op.kind === 'activation' && node.op.activation === 'relu';
      // A ReLU of its own is a sum of one map.
      nodes.push({ name, op: isRelu ? { kind: 'add' } : node.op, relu: isRelu, inputs, shape });
    } else nodes.push({ name, op: padded, relu: false, inputs: before?.inputs ?? [], shape });
  }
  const outputs = graph.outputs.map((id) => place[id] ?? 0);
  return { nodes, outputs, readers: liveReaders(nodes, outputs) };
}

/** Readers among the nodes that an output depends on. */
function liveReaders(nodes: readonly TrainingNode[], outputs: readonly number[]): number[] {
  const readers = new Array<number>(nodes.length).fill(0);
  const visit = (id: number): void => {
    readers[id] = (readers[id] ?? 0) + 1;
    if (readers[id] === 1) for (const input of nodes[id]?.inputs ?? []) visit(input);
  };
  for (const output of outputs) visit(output);
  return readers;
}
