/** From a folded graph to a program for inference. */
import { Epilogue } from '../../engine/epilogue.js';
import { Lowering, type Machine, type View } from '../../engine/lower/context.js';
import { lowerConv, lowerTransposedConv } from '../../engine/lower/convolution.js';
import type { Finish } from '../../engine/lower/filters.js';
import { lowerMargins, lowerTransfer } from '../../engine/lower/transfer.js';
import { Buffer, type Place, Program } from '../../engine/program.js';
import type { MapShape, Precision } from '../../engine/types.js';
import type { FixedWeights } from '../../engine/weights.js';
import type { FoldedGraph, FoldedNode } from '../graph/fold.js';
import { UnplannableError } from '../graph/readModel.js';
import { tileFor } from '../tileFor.js';
import { composedBias, lowerComposed } from './composed.js';
import { lowerActivation, lowerAffine, lowerMove, lowerProduct, lowerSum } from './maps.js';
import { nodesWithMargins } from './margins.js';

/** A program with the images that it reads and writes, [height, width, channels] each. */
export interface Lowered {
  readonly program: Program;
  readonly input: Buffer;
  readonly outputs: readonly { readonly image: Buffer; readonly shape: MapShape }[];
}

/** Nodes that an output depends on. */
function reachable({ nodes, outputs }: FoldedGraph): Set<number> {
  const found = new Set<number>();
  const visit = (id: number): void => {
    if (found.has(id)) return;
    found.add(id);
    for (const input of nodes[id]?.inputs ?? []) visit(input);
  };
  for (const output of outputs) visit(output);
  return found;
}

/** Lowers one node; the result is the map that it makes. */
function lowerNode(
  lowering: Lowering,
  node: FoldedNode,
  inputs: readonly View[],
  { image, precision, weights }: { image: Place; precision: Precision; weights: FixedWeights },
): View {
  const { name, op, shape } = node;
  if (op.kind === 'concat') {
    const [first] = inputs;
    if (first === undefined) throw new Error(`Layer ${name} has no input.`);
    return { tiles: first.tiles, channels: shape.channels, segments: inputs.flatMap(({ segments }) => segments) };
  }
  const target = lowering.newMap(shape);
  const epilogue = node.epilogue ?? new Epilogue(shape.channels, false);
  const record = () =>
    // Written once for all sizes: only then the composed bias is needed.
    weights.constant(`${name} epilogue`, () => {
      if (op.kind === 'composed') epilogue.addBias(composedBias(op, shape.channels, weights));
      return epilogue.record();
    });
  const identity = () => weights.constant(`none ${shape.channels}`, () => new Epilogue(shape.channels, false).record());
  const finish = (): Finish => ({ owner: name, factors: epilogue.factors, record: record() });
  const destination = { place: target.place, accumulate: false };
  const to = target.tiles;
  const [input] = inputs;
  if (op.kind === 'input') {
    lowerTransfer(lowering, 'toTiles', target, image);
    lowering.endStep(name, 'input');
    return target;
  }
  if (input === undefined) throw new Error(`Layer ${name} has no input.`);
  switch (op.kind) {
    case 'conv':
      lowering.endStep(name, lowerConv(lowering, input, { op, to, precision }, finish(), destination));
      break;
    case 'composed':
      lowerComposed(
        lowering,
        weights,
        { op, inputs, to, epilogue, owner: name, precision },
        { record: record(), none: identity() },
        target.place,
      );
      break;
    case 'transposed':
      lowerTransposedConv(lowering, input, { op, to, outputs: shape.channels, precision }, finish(), destination);
      break;
    case 'norm':
      lowerAffine(lowering, input, target, record());
      break;
    case 'activation':
      if (op.activation === 'relu') lowerAffine(lowering, input, target, record());
      else lowerActivation(lowering, input, target, op.activation);
      break;
    case 'add': {
      lowerSum(lowering, inputs, target, { last: record(), none: identity() });
      break;
    }
    case 'multiply':
      lowerProduct(lowering, inputs, target, record());
      break;
    case 'pool':
    case 'enlarge':
    case 'shift':
      lowerMove(lowering, input, target, op);
      break;
  }
  lowering.endStep(name, op.kind);
  return target;
}

/** Lowers a graph for one size of image. */
export function lower(graph: FoldedGraph, weights: FixedWeights, machine: Machine, precision: Precision): Lowered {
  const program = new Program();
  const lowering = new Lowering(program, weights, machine, tileFor(graph.nodes.map(({ op }) => op)), 1);
  const live = reachable(graph);
  const margins = nodesWithMargins(lowering, graph.nodes, precision);
  const imageOf = (id: number | undefined): Buffer => {
    const { height, width, channels } = graph.nodes[id ?? 0]?.shape ?? { height: 0, width: 0, channels: 0 };
    return new Buffer(4 * height * width * channels, 'arena');
  };
  const input = imageOf(graph.nodes.findIndex(({ op }) => op.kind === 'input'));
  const views: View[] = [];
  for (const [id, node] of graph.nodes.entries()) {
    const inputs = node.inputs.flatMap((i) => views[i] ?? []);
    if (!live.has(id)) {
      views.push({ tiles: lowering.tilesOf(node.shape), channels: 0, segments: [] });
      continue;
    }
    const view = lowerNode(lowering, node, inputs, { image: input.at(), precision, weights });
    const [segment, ...others] = view.segments;
    if (margins.has(id) && node.op.kind !== 'concat' && segment !== undefined && others.length === 0) {
      lowerMargins(lowering, { ...view, place: segment.place });
      lowering.endStep(node.name, 'margins');
    }
    views.push(view);
  }
  const outputs = graph.outputs.map((id) => {
    const image = imageOf(id);
    const view = views[id];
    if (view === undefined) throw new Error('An output has no map.');
    let done = 0;
    for (const segment of view.segments) {
      if (segment.channels !== view.channels) throw new UnplannableError('an output is a concatenation');
      lowerTransfer(lowering, 'fromTiles', { ...view, place: segment.place }, image.at(4 * done));
      done += segment.channels;
    }
    lowering.endStep('output', 'output');
    return { image, shape: graph.nodes[id]?.shape ?? { height: 0, width: 0, channels: 0 } };
  });
  return { program, input, outputs };
}
