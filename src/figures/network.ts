/** A network as a figure (Fig. 5 of Li, Fan, Cai 2021 for PyConvU-Net), drawn from the model's own graph. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { arrow, type Point } from './arrows.js';
import type { Connection } from './connections.js';
import { layoutNetwork, type NetworkLayout, type PlacedStage } from './layout.js';
import { type LegendEntry, legend } from './legend.js';
import { exact, macsText, sizeText } from './numbers.js';
import { type NetworkGraph, type NetworkGraphOptions, networkGraph, type Stage } from './stages.js';
import { element, type Markup } from './svg.js';
import { figure, LINE, text, wrap } from './theme.js';

/** Options of {@link networkFigure}. */
export type NetworkFigureOptions = NetworkGraphOptions;

const MARGIN = 16;
const HEADER = 66;
const LEAST_FIGURE_WIDTH = 620;

const ROLE_CLASSES: Readonly<Record<Stage['role'], string>> = {
  input: 'end',
  down: 'down',
  up: 'up',
  side: 'side',
  head: 'end',
};

function stageMarkup({ stage, label, x, width, top, bottom }: PlacedStage): Markup {
  const { name, shape, params, macs, role } = stage;
  const lines = label.map((line, i) =>
    text(x, top - 8 - (label.length - 1 - i) * LINE, line, { anchor: 'middle', className: i === 0 ? 'name' : 'quiet' }),
  );
  return element(
    'g',
    { 'data-stage': name, 'data-params': params, 'data-macs': macs },
    element(
      'title',
      {},
      `${name}: ${sizeText(shape)}, ${exact(params)} parameters, ${exact(macs)} multiply-accumulates`,
    ),
    element('rect', {
      class: ROLE_CLASSES[role],
      x: x - width / 2,
      y: top,
      width,
      height: bottom - top,
      rx: 2.5,
      'stroke-width': 1.4,
    }),
    ...lines,
  );
}

/** Heights at which lines leave and enter a box, as shares of its height. */
const UPPER = 0.3;
const MIDDLE = 0.5;
const LOWER = 0.7;
const level = ({ top, bottom }: PlacedStage, share: number): number => top + (bottom - top) * share;

/** The way of a connection: along the rows sideways, along the columns between rows. */
function route(from: PlacedStage, to: PlacedStage, { kind }: Connection, detour: number | undefined): Point[] {
  const right = from.x + from.width / 2;
  const left = to.x - to.width / 2;
  if (detour !== undefined) {
    const [start, end] = [from.x + from.width * 0.38, to.x - to.width * 0.38];
    return [
      [start, from.bottom],
      [start, detour],
      [end, detour],
      [end, to.bottom],
    ];
  }
  if (from.row === to.row) {
    const share = kind === 'main' ? MIDDLE : LOWER;
    return [
      [right, level(from, share)],
      [left, level(to, share)],
    ];
  }
  if (from.row < to.row) {
    return [
      [from.x, from.bottom],
      [from.x, level(to, MIDDLE)],
      [left, level(to, MIDDLE)],
    ];
  }
  return [
    [right, level(from, UPPER)],
    [to.x, level(from, UPPER)],
    [to.x, to.bottom],
  ];
}

function connectionsMarkup({ connections }: NetworkGraph, { stages, detours }: NetworkLayout): Markup[] {
  const lanes = new Map(detours.map(({ connection, y }) => [connection, y]));
  return connections.flatMap((connection) => {
    const [from, to] = [stages.get(connection.from), stages.get(connection.to)];
    if (from === undefined || to === undefined) return [];
    const attributes = {
      class: connection.kind,
      'data-from': connection.from,
      'data-to': connection.to,
      'data-kind': connection.kind,
    };
    const words = connection.kind === 'main' ? '' : ` (${connection.kind})`;
    return [
      arrow(
        route(from, to, connection, lanes.get(connection)),
        attributes,
        `${connection.from} to ${connection.to}${words}`,
      ),
    ];
  });
}

const SKIPS = {
  concatenated: 'skip, concatenated',
  added: 'skip, added',
  gated: 'skip, gated by attention, then concatenated',
} as const;

const ROLES = {
  down: 'encoder',
  up: 'decoder',
  side: 'layers on a skip',
} as const;

function legendEntries({ stages, connections, operations }: NetworkGraph): LegendEntry[] {
  const way = [
    ...(operations.down.length === 0 ? [] : [`smaller by ${operations.down.join(' and ')}`]),
    ...(operations.up.length === 0 ? [] : [`larger by ${operations.up.join(' and ')}`]),
  ].join(', ');
  const has = (list: readonly { readonly role?: string; readonly kind?: string }[], value: string) =>
    list.some((item) => item.role === value || item.kind === value);
  return [
    ...(['down', 'up', 'side'] as const).flatMap((role): LegendEntry[] =>
      has(stages, role) ? [{ sample: 'box', className: role, words: ROLES[role] }] : [],
    ),
    ...(['concatenated', 'added', 'gated'] as const).flatMap((kind): LegendEntry[] =>
      has(connections, kind) ? [{ sample: 'arrow', className: kind, words: SKIPS[kind] }] : [],
    ),
    { sample: 'arrow', className: 'main', words: way === '' ? 'main path' : `main path: ${way}` },
  ];
}

const NOTE =
  'Label: stage; height×width×channels that it hands on; its parameters; multiply-accumulates of its convolutions for one image. Boxes: height and width follow the square roots of the map’s height and channels.';

/** What the figure says to those who cannot see it. */
function describe({ inputShape, stages, connections, params, macs }: NetworkGraph): string {
  const list = stages.map((stage) => `${stage.name} (${sizeText(stage.shape)})`).join(', ');
  const skips = connections.flatMap(({ from, to, kind }) => (kind === 'main' ? [] : [`${from} to ${to} (${kind})`]));
  const skipList = skips.length === 0 ? '' : ` Skips: ${skips.join(', ')}.`;
  return `${exact(params.total)} parameters and ${exact(macs)} multiply-accumulates for one image of ${sizeText(inputShape)}. Stages: ${list}.${skipList}`;
}

/**
 * Draws a network: a box for each stage, as tall as its maps are high and as wide as they have channels, with its parameters
 * and multiply-accumulates, and an arrow for each map that passes from a stage to another one.
 *
 * @param model A network of this package, or another tfjs-layers model of one input whose layers make maps; its layers are
 *   grouped by the first part of their names.
 * @param options `inputShape`: [height, width, channels] in pixels, needed where the model leaves sizes free; `title`.
 * @returns An SVG document for light and dark pages and print, which needs no font and no other file.
 * @throws InvalidArgumentError as {@link networkGraph} does.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { figures, models } from 'pyconvunet';
 *
 * const svg = figures.networkFigure(models.pyConvUNet({ widths: [8, 16, 32] }), { inputShape: [64, 64, 3] });
 * console.log(svg.startsWith('<svg')); // true
 * ```
 */
export function networkFigure(model: tfl.LayersModel, options: NetworkFigureOptions = {}): string {
  return drawNetwork(networkGraph(model, options));
}

/** Draws a graph that is read already. */
function drawNetwork(graph: NetworkGraph): string {
  const layout = layoutNetwork(graph, HEADER);
  const width = Math.max(layout.width, LEAST_FIGURE_WIDTH);
  const { title, inputShape, params, macs } = graph;
  const shift = (width - layout.width) / 2;
  const key = legend(legendEntries(graph), { x: MARGIN, y: layout.bottom + 8, width: width - 2 * MARGIN });
  const notes = wrap(NOTE, width - 2 * MARGIN).map((line, i) =>
    text(MARGIN, key.bottom + 12 + i * LINE, line, { className: 'quiet' }),
  );
  const summary = `${exact(params.total)} parameters (${exact(params.trainable)} trainable), ${macsText(macs)} for one image of ${sizeText(inputShape)}`;
  return figure(
    { width, height: key.bottom + 12 + (notes.length - 1) * LINE + MARGIN },
    { title, description: describe(graph) },
    [
      text(MARGIN, 28, title, { className: 'title' }),
      text(MARGIN, 48, summary, { className: 'quiet' }),
      element(
        'g',
        { transform: shift === 0 ? undefined : `translate(${Math.round(shift)} 0)` },
        ...connectionsMarkup(graph, layout),
        ...[...layout.stages.values()].map(stageMarkup),
      ),
      key.markup,
      ...notes,
    ],
  );
}
