/** A network as its figure shows it, read from the model's own graph: stages, and what passes between them. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { type ComplexityReport, complexity } from '../complexity/index.js';
import { SizeGuard } from '../layers/sizeGuard.js';
import { InvalidArgumentError } from '../runtime/errors.js';

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

/** How a map enters a stage: it is what the stage mainly works on, or it is joined to that. */
export type ConnectionKind = 'main' | 'concatenated' | 'added' | 'gated';

/** A map that passes from a stage to another one. */
export interface Connection {
  readonly from: string;
  readonly to: string;
  readonly kind: ConnectionKind;
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

/** One layer with the layers that feed it. */
interface Node {
  readonly layer: tfl.layers.Layer;
  readonly sources: Set<tfl.layers.Layer>;
}

/** The layers that the outputs need, each behind those that feed it. */
function nodesOf(model: tfl.LayersModel): Map<tfl.layers.Layer, Node> {
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

type Shape = readonly [number, number, number];

/** The map that each layer makes; of a model that stands as a layer the last one in it. */
function shapesOf(report: ComplexityReport): (layer: tfl.layers.Layer) => Shape {
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

const firstPart = (name: string): string => name.split('/', 1)[0] ?? name;

/**
 * The stage of each layer: the first part of its name. A layer that stands alone, has no weights and one source (dropout,
 * an activation, a check) belongs to the stage that feeds it.
 */
function stageNames(nodes: ReadonlyMap<tfl.layers.Layer, Node>): Map<tfl.layers.Layer, string> {
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

const JOINS: Readonly<Record<string, ConnectionKind>> = {
  Multiply: 'gated',
  Add: 'added',
  Average: 'added',
  Concatenate: 'concatenated',
};

/** All that passes from one stage to another. */
interface Passage {
  readonly from: string;
  readonly to: string;
  /** Height of what arrives. */
  height: number;
  /** Classes of the layers at which it arrives. */
  readonly entries: Set<string>;
}

/** How the maps of a passage are joined to the stage's own; a gate tells more than what follows it. */
const joinOf = ({ entries }: Passage): ConnectionKind =>
  Object.entries(JOINS).find(([className]) => entries.has(className))?.[1] ?? 'added';

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
  const passages = new Map<string, Passage>();
  const largest = new Map<string, Shape>();
  const handOn = (stage: string, shape: Shape): void => {
    const known = largest.get(stage);
    if (known === undefined || shape[0] >= known[0]) largest.set(stage, shape);
  };
  const operations = { down: new Set<string>(), up: new Set<string>() };

  for (const { layer, sources } of nodes.values()) {
    const to = stageOf.get(layer) ?? '';
    const className = layer.getClassName();
    const [height] = shapeOf(layer);
    for (const source of sources) {
      const from = stageOf.get(source) ?? '';
      const shape = shapeOf(source);
      const word = OPERATIONS[className] ?? className;
      if (shape[0] >= height * MUCH) operations.down.add(word);
      if (height >= shape[0] * MUCH) operations.up.add(word);
      if (from === to) continue;
      handOn(from, shape);
      const key = JSON.stringify([from, to]);
      const passage = passages.get(key) ?? { from, to, height: shape[0], entries: new Set() };
      passage.entries.add(className);
      passages.set(key, passage);
    }
  }
  const outputs = new Set(model.outputs.map(({ sourceLayer }) => sourceLayer));
  for (const layer of outputs) handOn(stageOf.get(layer) ?? '', shapeOf(layer));
  const outputStages = new Set([...outputs].map((layer) => stageOf.get(layer)));

  const connections = connectionsOf(order, [...passages.values()], (name) => largest.get(name)?.[0] ?? 0, outputStages);
  const costs = new Map(order.map((name) => [name, { params: 0, macs: 0 }]));
  const stageOfName = new Map([...stageOf].map(([layer, stage]) => [layer.name, stage]));
  for (const row of report.layers) {
    const cost = costs.get(stageOfName.get(row.name) ?? firstPart(row.name));
    if (cost === undefined) continue;
    cost.params += row.params;
    cost.macs += row.macs;
  }
  const inputs = new Set(model.inputs.map(({ sourceLayer }) => stageOf.get(sourceLayer)));
  const stages: Stage[] = [];
  for (const name of order) {
    const shape = largest.get(name) ?? [0, 0, 0];
    const { params = 0, macs = 0 } = costs.get(name) ?? {};
    const isOutput = outputStages.has(name);
    const main = connections.find(({ to, kind }) => to === name && kind === 'main');
    const before = stages.find((stage) => stage.name === main?.from);
    const role = ((): StageRole => {
      if (inputs.has(name)) return 'input';
      if (isOutput) return 'head';
      if (before === undefined) return 'side';
      if (before.shape[0] !== shape[0]) return before.shape[0] < shape[0] ? 'up' : 'down';
      return before.role === 'up' ? 'up' : 'down';
    })();
    stages.push({ name, role, shape, params, macs, isOutput });
  }
  return {
    title,
    inputShape: report.inputShape,
    params: report.params,
    macs: report.macs,
    stages,
    connections,
    operations: { down: [...operations.down], up: [...operations.up] },
  };
}

/** Tells the main map of each stage from what is joined to it. */
function connectionsOf(
  order: readonly string[],
  passages: readonly Passage[],
  heightOf: (stage: string) => number,
  outputs: ReadonlySet<string | undefined>,
): Connection[] {
  const rank = (name: string) => order.indexOf(name);
  const kinds = new Map<Passage, ConnectionKind>();
  for (const name of order) {
    // What comes from a later stage would go back: only a model whose names are interleaved has that.
    const entering = passages.filter(({ from, to }) => to === name && rank(from) < rank(name));
    const [main] = [...entering].sort(
      (a, b) =>
        Number(b.height !== heightOf(name)) - Number(a.height !== heightOf(name)) || rank(b.from) - rank(a.from),
    );
    for (const passage of passages.filter(({ to }) => to === name)) {
      kinds.set(passage, passage === main ? 'main' : joinOf(passage));
    }
  }
  // A stage that keeps the size of what enters and whose every map is joined elsewhere lies on a skip, and so does the way
  // to it.
  for (const name of [...order].reverse()) {
    const leaving = passages.filter(({ from }) => from === name).map((passage) => kinds.get(passage) ?? 'main');
    const [kind] = leaving;
    const entering = passages.filter(({ to }) => to === name);
    const keepsSize = entering.every(({ height }) => height === heightOf(name));
    if (outputs.has(name) || kind === undefined || leaving.includes('main') || !keepsSize) continue;
    for (const passage of entering) kinds.set(passage, kind);
  }
  return passages.map((passage) => ({ from: passage.from, to: passage.to, kind: kinds.get(passage) ?? 'main' }));
}
