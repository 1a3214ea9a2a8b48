/** A model's layers as a graph, their maps' shapes, and the stage that each belongs to. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { ComplexityReport } from '../complexity/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';

/** One layer with the layers that feed it. */
export interface Node {
  readonly layer: tfl.layers.Layer;
  readonly sources: Set<tfl.layers.Layer>;
}

/** The layers that the outputs need, each behind those that feed it. */
export function nodesOf(model: tfl.LayersModel): Map<tfl.layers.Layer, Node> {
  const nodes = new Map<tfl.layers.Layer, Node>();
  const seen = new Set<tfl.SymbolicTensor>();
  const visit = (tensor: tfl.SymbolicTensor): void => {
    if (seen.has(tensor)) return;
    seen.add(tensor);
    const inputs = model.inputs.includes(tensor) ? [] : tensor.inputs;
    for (const input of inputs) visit(input);
    const node = nodes.get(tensor.sourceLayer) ?? { layer: tensor.sourceLayer, sources: new Set() };
    for (const input of inputs) node.sources.add(input.sourceLayer);
    nodes.set(tensor.sourceLayer, node);
  };
  for (const output of model.outputs) visit(output);
  return nodes;
}

/** Height, width, channels. */
export type Shape = readonly [number, number, number];

/** The map that each layer makes; of a model that stands as a layer the last one in it. */
export function shapesOf(report: ComplexityReport): (layer: tfl.layers.Layer) => Shape {
  const rows = new Map(report.layers.map((row) => [row.name, row.outputShape]));
  return (layer) => {
    const own =
      rows.get(layer.name) ?? report.layers.filter(({ name }) => name.startsWith(`${layer.name}/`)).at(-1)?.outputShape;
    const [height, width, channels, ...rest] = own ?? [];
    if (height === undefined || width === undefined || channels === undefined || rest.length > 0) {
      throw new InvalidArgumentError(
        `A figure shows networks whose layers make maps of height, width and channels. Received: layer '${layer.name}' with the output [${(own ?? []).join(', ')}].`,
      );
    }
    return [height, width, channels];
  };
}

/** What stands before the first slash. */
export const firstPart = (name: string): string => name.split('/', 1)[0] ?? name;

/**
 * The stage of each layer: the first part of its name. A layer that stands alone, has no weights and one source (dropout,
 * an activation, a check) belongs to the stage that feeds it.
 */
export function stageNames(nodes: ReadonlyMap<tfl.layers.Layer, Node>): Map<tfl.layers.Layer, string> {
  const sizes = new Map<string, number>();
  for (const { name } of nodes.keys()) sizes.set(firstPart(name), (sizes.get(firstPart(name)) ?? 0) + 1);
  const stages = new Map<tfl.layers.Layer, string>();
  for (const { layer, sources } of nodes.values()) {
    const own = firstPart(layer.name);
    const [source] = sources;
    const joins = sources.size === 1 && sizes.get(own) === 1 && layer.weights.length === 0;
    stages.set(layer, (joins && source !== undefined ? stages.get(source) : undefined) ?? own);
  }
  return stages;
}
