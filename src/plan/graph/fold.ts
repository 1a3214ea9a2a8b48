/**
 * The exact folds of inference: normalisations, biases and ReLUs into the operation before them, paddings and crops into the
 * convolution beside them, concatenations into the lists of those that read them.
 */
import { Epilogue } from '../../engine/epilogue.js';
import type { MapShape, Read } from '../../engine/types.js';
import { cropped, withPadding } from './shifts.js';
import { countReaders } from './training.js';
import type { ComposedOp, Graph, Node, Op } from './types.js';

/** An operation with what was folded into it; `inputs` are indices of folded nodes. */
export interface FoldedNode {
  readonly name: string;
  readonly op: Op;
  readonly inputs: readonly number[];
  readonly shape: MapShape;
  /** Of operations that compute sums; null for those that only move values or are nonlinear. */
  readonly epilogue: Epilogue | null;
}

export interface FoldedGraph {
  readonly nodes: readonly FoldedNode[];
  readonly outputs: readonly number[];
}

/** Scale and shift of a normalisation with its moving statistics. */
function statistics(op: Extract<Op, { kind: 'norm' }>, channels: number, read: Read) {
  const [gamma, beta] = [op.gamma, op.beta].map((variable) => (variable === null ? null : read(variable)));
  const mean = read(op.mean);
  const variance = read(op.variance);
  const scale = Float64Array.from(
    { length: channels },
    (_, c) => (gamma?.[c] ?? 1) / Math.sqrt((variance[c] ?? 0) + op.epsilon),
  );
  const shift = scale.map((s, c) => (beta?.[c] ?? 0) - (mean[c] ?? 0) * s);
  return { scale, shift };
}

function emptyEpilogue({ op, shape }: Node, read: Read): Epilogue | null {
  switch (op.kind) {
    case 'conv':
    case 'transposed': {
      const epilogue = new Epilogue(shape.channels, true);
      if (op.bias !== null) epilogue.bias.set(read(op.bias));
      return epilogue;
    }
    case 'norm':
    case 'add':
    case 'multiply':
      return new Epilogue(shape.channels, false);
    case 'activation':
      return op.activation === 'relu' ? new Epilogue(shape.channels, false) : null;
    default:
      return null;
  }
}

/** Takes a node into the epilogue of the one before it. */
function absorb(epilogue: Epilogue, { op, shape }: Node, read: Read): boolean {
  if (op.kind === 'norm') {
    const { scale, shift } = statistics(op, shape.channels, read);
    return epilogue.addNorm(scale, shift);
  }
  return op.kind === 'activation' && op.activation === 'relu' && epilogue.addRelu();
}

/** The two convolutions of a decoder as one, or null where the node is not the second of them. */
function composed(
  nodes: readonly FoldedNode[],
  { op, inputs }: { op: Op; inputs: readonly number[] },
  isSingle: (index: number) => boolean,
): { op: ComposedOp; inputs: readonly number[] } | null {
  const [concatIndex = -1] = inputs;
  const concat = nodes[concatIndex];
  if (op.kind !== 'conv' || concat?.op.kind !== 'concat' || !isSingle(concatIndex)) return null;
  const [level, ...others] = op.levels;
  if (level === undefined || others.length > 0 || level.groups !== 1) return null;
  if ([...level.kernelSize, ...op.strides].some((n) => n !== 1) || level.padding.top + level.padding.left > 0)
    return null;
  let start = 0;
  for (const [i, index] of concat.inputs.entries()) {
    const node = nodes[index];
    if (node === undefined) return null;
    const { channels } = node.shape;
    if (node.op.kind === 'transposed' && node.epilogue?.isLinear && isSingle(index) && concat.inputs.length > 1) {
      const rest = concat.inputs.filter((_, other) => other !== i);
      const [source = 0] = node.inputs;
      return { op: { kind: 'composed', transposed: node.op, conv: op, channels, start }, inputs: [source, ...rest] };
    }
    start += channels;
  }
  return null;
}

/**
 * Folds a graph for inference.
 *
 * @param compose Whether two convolutions may become one whose filter is their product.
 */
export function fold(graph: Graph, read: Read, { compose }: { compose: boolean }): FoldedGraph {
  const readers = countReaders(graph);
  // Readers of folded nodes, as far as the graph is read.
  const sources: number[] = [];
  const isSingleFolded = (index: number) => {
    const id = sources[index];
    return id !== undefined && readers[id] === 1;
  };
  const nodes: FoldedNode[] = [];
  // Where the map of each node of the graph is made.
  const place: number[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => place[id] ?? 0);
    const [only = 0] = inputs;
    const before = nodes[only];
    const isSingle = node.inputs.length === 1 && readers[node.inputs[0] ?? 0] === 1;
    if (isSingle && before?.epilogue && absorb(before.epilogue, node, read)) {
      place.push(only);
      sources[only] = node.id;
      continue;
    }
    const { name, shape } = node;
    if (isSingle && before?.op.kind === 'transposed' && node.op.kind === 'shift' && before.epilogue?.isLinear) {
      const op = cropped(before.op, before.shape, { shift: node.op.shift, shape });
      if (op !== null) {
        nodes[only] = { ...before, op, shape };
        place.push(only);
        sources[only] = node.id;
        continue;
      }
    }
    const source = nodes[before?.inputs[0] ?? 0];
    const padded =
      isSingle && before?.op.kind === 'shift' && source !== undefined
        ? withPadding(node.op, before.op.shift, { from: source.shape, to: before.shape })
        : null;
    const epilogue = emptyEpilogue(node, read);
    if (epilogue && (node.op.kind === 'norm' || node.op.kind === 'activation')) absorb(epilogue, node, read);
    place.push(nodes.length);
    sources[nodes.length] = node.id;
    const both = compose ? composed(nodes, { op: node.op, inputs }, isSingleFolded) : null;
    if (both !== null) {
      nodes.push({ name, op: both.op, inputs: both.inputs, shape, epilogue });
      continue;
    }
    nodes.push(
      padded === null
        ? { name, op: node.op, inputs, shape, epilogue }
        : { name, op: padded, inputs: before?.inputs ?? [], shape, epilogue },
    );
  }
  const outputs = graph.outputs.map((id) => place[id] ?? 0);
  return { nodes, outputs };
}
