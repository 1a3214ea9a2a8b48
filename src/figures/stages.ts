/** A network as its figure shows it, read from the model's own graph: stages, and what passes between them. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { type ComplexityReport, complexity } from '../complexity/index.js';
import { SizeGuard } from '../layers/sizeGuard.js';
import { type Connection, connectionsOf, type Passage } from './connections.js';
import { firstPart, type Node, nodesOf, type Shape, shapesOf, stageNames } from './layerGraph.js';

/** What a stage is for: it takes the image, works on ever smaller maps, on ever larger ones, on a skip, or predicts. */
export type StageRole = 'input' | 'down' | 'up' | 'side' | 'head';

/** Layers whose names begin alike; see {@link networkGraph}. */
export interface Stage {
  /** The first part of its layers' names. */
  readonly name: string;
  readonly role: StageRole;
  /** [height, width, channels] of the largest map that it hands on. */
  readonly shape: readonly [number, number, number];
  /** All weights, trainable or not. */
  readonly params: number;
  readonly macs: number;
  /** Whether the model returns its map. */
  readonly isOutput: boolean;
}

/** Stages and connections of a network. */
export interface NetworkGraph {
  readonly title: string;
  /** [height, width, channels] of one image. */
  readonly inputShape: readonly number[];
  readonly params: ComplexityReport['params'];
  readonly macs: number;
  /** In the order of computation. */
  readonly stages: readonly Stage[];
  readonly connections: readonly Connection[];
  /** What makes maps smaller and larger, in words. */
  readonly operations: { readonly down: readonly string[]; readonly up: readonly string[] };
}

/** Options of {@link networkGraph}. */
export interface NetworkGraphOptions {
  /** [height, width, channels] of one image. Default the model's own, where all three are fixed. */
  readonly inputShape?: readonly number[];
  /** What the figure calls the network. Default its own title, else the model's name. */
  readonly title?: string;
}

const OPERATIONS: Readonly<Record<string, string>> = {
  MaxPooling2D: 'max pooling',
  AveragePooling2D: 'average pooling',
  Conv2D: 'convolution of stride 2',
  'pyconvunet>PyConv2D': 'pyramidal convolution of stride 2',
  Conv2DTranspose: 'transposed convolution',
  UpSampling2D: 'upsampling',
  'pyconvunet>BilinearUpsampling': 'bilinear upsampling',
  'pyconvunet>NearestUpsampling': 'nearest-neighbour upsampling',
};

/** Padding and cropping change sizes by some pixels only. */
const MUCH = 1.5;

function titleOf(model: tfl.LayersModel): string {
  const guard = model.layers.find((layer) => layer instanceof SizeGuard);
  const network = guard?.getConfig().network;
  const name = typeof network === 'object' && network !== null && 'name' in network ? network.name : undefined;
  return typeof name === 'string' ? name : model.name;
}

/** Everything that passes between stages, the largest map that each hands on, and what changes sizes. */
function passagesOf(
  model: tfl.LayersModel,
  nodes: ReadonlyMap<tfl.layers.Layer, Node>,
  stageOf: ReadonlyMap<tfl.layers.Layer, string>,
  shapeOf: (layer: tfl.layers.Layer) => Shape,
): { passages: Passage[]; largest: Map<string, Shape>; operations: NetworkGraph['operations'] } {
  const passages = new Map<string, Passage>();
  const largest = new Map<string, Shape>();
  const [down, up] = [new Set<string>(), new Set<string>()];
  const handOn = (layer: tfl.layers.Layer): void => {
    const [stage, shape] = [stageOf.get(layer) ?? '', shapeOf(layer)];
    if (shape[0] >= (largest.get(stage)?.[0] ?? 0)) largest.set(stage, shape);
  };
  for (const { layer, sources } of nodes.values()) {
    const className = layer.getClassName();
    const word = OPERATIONS[className] ?? className;
    const [height] = shapeOf(layer);
    for (const source of sources) {
      const [arriving] = shapeOf(source);
      if (arriving >= height * MUCH) down.add(word);
      if (height >= arriving * MUCH) up.add(word);
      const [from = '', to = ''] = [stageOf.get(source), stageOf.get(layer)];
      if (from === to) continue;
      handOn(source);
      const key = JSON.stringify([from, to]);
      const passage = passages.get(key) ?? { from, to, height: arriving, entries: new Set() };
      passage.entries.add(className);
      passages.set(key, passage);
    }
  }
  for (const { sourceLayer } of model.outputs) handOn(sourceLayer);
  return { passages: [...passages.values()], largest, operations: { down: [...down], up: [...up] } };
}

/** Parameters and multiply-accumulates of each stage. */
function costsOf(
  report: ComplexityReport,
  stageOf: ReadonlyMap<tfl.layers.Layer, string>,
): Map<string, { params: number; macs: number }> {
  const stageOfName = new Map([...stageOf].map(([layer, stage]) => [layer.name, stage]));
  const costs = new Map<string, { params: number; macs: number }>();
  for (const { name, params, macs } of report.layers) {
    // The layers of a model that stands as a layer carry its name before their own.
    const stage = stageOfName.get(name) ?? firstPart(name);
    const { params: otherParams, macs: otherMacs } = costs.get(stage) ?? { params: 0, macs: 0 };
    costs.set(stage, { params: otherParams + params, macs: otherMacs + macs });
  }
  return costs;
}

/** What a stage is for, from the main stage before it. */
function roleBehind(before: Stage | undefined, shape: Shape): StageRole {
  if (before === undefined) return 'side';
  if (before.shape[0] !== shape[0]) return before.shape[0] < shape[0] ? 'up' : 'down';
  return before.role === 'up' ? 'up' : 'down';
}

/**
 * Reads a network's stages from its graph: layers are grouped by the first part of their names (`encoder1/pyconv` belongs to
 * `encoder1`), connections are those of the layers. Of several maps that enter a stage, the main one is the one that changes
 * its size there; the others are skips.
 *
 * @param model A network of this package, or another tfjs-layers model of one input whose layers make maps.
 * @param options `inputShape`: [height, width, channels], needed where the model leaves sizes free; `title`.
 * @returns Stages with their parameters and multiply-accumulates, which add up to those of `complexity`, and connections.
 * @throws InvalidArgumentError where the input shape is missing or does not fit, or a layer's output is no map.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { figures, models } from 'pyconvunet';
 *
 * const graph = figures.networkGraph(models.uNet({ widths: [8, 16] }), { inputShape: [64, 64, 3] });
 * console.log(graph.stages.map(({ name }) => name).join(', ')); // input, encoder1, encoder2, decoder1, logits
 * ```
 */
export function networkGraph(model: tfl.LayersModel, options: NetworkGraphOptions = {}): NetworkGraph {
  const { inputShape, title = titleOf(model) } = options;
  const report = complexity(model, inputShape === undefined ? {} : { inputShape });
  const nodes = nodesOf(model);
  const shapeOf = shapesOf(report);
  const stageOf = stageNames(nodes);
  const order = [...new Set(stageOf.values())];
  const inStages = (tensors: readonly tfl.SymbolicTensor[]) =>
    new Set(tensors.map(({ sourceLayer }) => stageOf.get(sourceLayer) ?? ''));
  const [inputs, outputs] = [inStages(model.inputs), inStages(model.outputs)];
  const { passages, largest, operations } = passagesOf(model, nodes, stageOf, shapeOf);
  const connections = connectionsOf(order, passages, (name) => largest.get(name)?.[0] ?? 0, outputs);
  const costs = costsOf(report, stageOf);

  const stages = new Map<string, Stage>();
  for (const name of order) {
    const shape = largest.get(name) ?? [0, 0, 0];
    const main = connections.find(({ to, kind }) => to === name && kind === 'main');
    const before = main === undefined ? undefined : stages.get(main.from);
    const isOutput = outputs.has(name);
    const role = inputs.has(name) ? 'input' : isOutput ? 'head' : roleBehind(before, shape);
    stages.set(name, { name, role, shape, ...(costs.get(name) ?? { params: 0, macs: 0 }), isOutput });
  }
  const { params, macs } = report;
  return { title, inputShape: report.inputShape, params, macs, stages: [...stages.values()], connections, operations };
}
