/** Where a network's stages stand: a row for each height of maps, a column for each step of the way through the network. */
import type { Connection } from './connections.js';
import { macsText, short, sizeText } from './numbers.js';
import type { NetworkGraph, Stage } from './stages.js';
import { LINE, textWidth } from './theme.js';

/** A stage with its place; x is its middle. */
export interface PlacedStage {
  readonly stage: Stage;
  readonly label: readonly string[];
  /** Counted from above; -1: the row of several predictions above all others. */
  readonly row: number;
  readonly x: number;
  readonly width: number;
  /** Of the box, which stands below its label. */
  readonly top: number;
  readonly bottom: number;
}

/** A skip that passes below the stages between its ends. */
export interface Detour {
  readonly connection: Connection;
  readonly y: number;
}

/** A network, placed. */
export interface NetworkLayout {
  readonly stages: ReadonlyMap<string, PlacedStage>;
  readonly detours: readonly Detour[];
  readonly width: number;
  readonly bottom: number;
}

const LARGEST_HEIGHT = 76;
const LEAST_HEIGHT = 16;
const LEAST_WIDTH = 9;
const PER_ROOT_OF_CHANNELS = 3.9;
/** Between the rows, and between texts that stand side by side. */
const GAP = 16;
/** Room for an arrow between a column's line and a box. */
const ARROW = 24;
const LANE = 9;

/** Name, size, parameters, multiply-accumulates: what a stage's label says. */
export function labelOf({ name, shape, params, macs }: Stage): string[] {
  return [name, sizeText(shape), ...(params === 0 ? [] : [`${short(params)} params`, macsText(macs)])];
}

/** The column of each stage: one behind its main source; stages on a skip stand midway. */
function columnsOf({ stages, connections }: NetworkGraph): Map<string, number> {
  const columns = new Map<string, number>();
  for (const { name } of stages) {
    const main = connections.find(({ to, kind }) => to === name && kind === 'main');
    const before = main === undefined ? undefined : columns.get(main.from);
    if (before !== undefined) columns.set(name, before + 1);
    else if (!connections.some(({ to }) => to === name)) columns.set(name, 0);
  }
  for (const { name } of stages) {
    if (columns.has(name)) continue;
    const from = connections.find(({ to }) => to === name)?.from ?? '';
    const to = connections.find((connection) => connection.from === name)?.to ?? '';
    const start = columns.get(from) ?? 0;
    // The midpoint between its ends, or the next column where the other end has no place yet.
    columns.set(name, (start + (columns.get(to) ?? start + 2)) / 2);
  }
  return columns;
}

interface Cell {
  readonly stage: Stage;
  readonly label: readonly string[];
  readonly column: number;
  readonly row: number;
  readonly width: number;
  readonly labelWidth: number;
}

function cellsOf(graph: NetworkGraph): Cell[] {
  const columns = columnsOf(graph);
  const heads = graph.stages.filter(({ role }) => role === 'head');
  const heights = [...new Set(graph.stages.map(({ shape }) => shape[0]))].sort((a, b) => b - a);
  return graph.stages.map((stage) => {
    const label = labelOf(stage);
    return {
      stage,
      label,
      column: columns.get(stage.name) ?? 0,
      row: heads.length > 1 && stage.role === 'head' ? -1 : heights.indexOf(stage.shape[0]),
      width: Math.max(LEAST_WIDTH, PER_ROOT_OF_CHANNELS * Math.sqrt(stage.shape[2])),
      labelWidth: Math.max(...label.map((line, i) => textWidth(line, { bold: i === 0 }))),
    };
  });
}

/** The middle of each column, from left to right, as close as labels, boxes and arrows allow. */
function columnMiddles(cells: readonly Cell[]): { middles: Map<number, number>; width: number } {
  const middles = new Map<number, number>();
  /** Where each row ends so far. */
  const ends = new Map<number, number>();
  let right = 0;
  let previous: { x: number; cells: readonly Cell[] } | undefined;
  for (const column of [...new Set(cells.map((cell) => cell.column))].sort((a, b) => a - b)) {
    const own = cells.filter((cell) => cell.column === column);
    const half = (cell: Cell) => Math.max(cell.width, cell.labelWidth) / 2;
    // The line between two columns runs along one of them and has to pass the other's boxes and labels.
    const beside = (cell: Cell) => Math.max(cell.width / 2 + ARROW, cell.labelWidth / 2 + GAP / 2);
    const x = Math.max(
      ...own.map((cell) => (ends.get(cell.row) ?? 0) + GAP + half(cell)),
      ...(previous === undefined
        ? []
        : [...own, ...previous.cells].map(beside).map((step) => (previous?.x ?? 0) + step)),
    );
    middles.set(column, x);
    for (const cell of own) {
      ends.set(cell.row, x + half(cell));
      right = Math.max(right, x + half(cell));
    }
    previous = { x, cells: own };
  }
  return { middles, width: right + GAP };
}

/** A free lane below a row for each stage that sends maps past other stages. */
function lanesOf(graph: NetworkGraph, cells: readonly Cell[]): Map<Connection, number> {
  const cellOf = new Map(cells.map((cell) => [cell.stage.name, cell]));
  const lanes = new Map<Connection, number>();
  const taken: { row: number; lane: number; from: number; to: number; source: string }[] = [];
  for (const connection of graph.connections) {
    const [source, target] = [cellOf.get(connection.from), cellOf.get(connection.to)];
    if (connection.kind === 'main' || source === undefined || target === undefined || source.row !== target.row)
      continue;
    const { row } = source;
    const between = cells.some((c) => c.row === row && c.column > source.column && c.column < target.column);
    if (!between) continue;
    let lane = 0;
    const isTaken = () =>
      taken.some(
        (other) =>
          other.row === row &&
          other.lane === lane &&
          other.source !== connection.from &&
          other.from < target.column &&
          source.column < other.to,
      );
    while (isTaken()) lane++;
    taken.push({ row, lane, from: source.column, to: target.column, source: connection.from });
    lanes.set(connection, lane);
  }
  return lanes;
}

/**
 * Places the stages of a network. Height and width of a box follow the square roots of its map's height and channels.
 *
 * @param top Where the first row begins.
 */
export function layoutNetwork(graph: NetworkGraph, top: number): NetworkLayout {
  const cells = cellsOf(graph);
  const { middles, width } = columnMiddles(cells);
  const lanes = lanesOf(graph, cells);
  const tallest = Math.max(...graph.stages.map(({ shape }) => shape[0]));
  const stages = new Map<string, PlacedStage>();
  const laneTops = new Map<number, number>();
  let y = top;
  for (const row of [...new Set(cells.map((cell) => cell.row))].sort((a, b) => a - b)) {
    const own = cells.filter((cell) => cell.row === row);
    const labelHeight = Math.max(...own.map(({ label }) => label.length)) * LINE + 4;
    const height = Math.max(
      ...own.map(({ stage }) => LARGEST_HEIGHT * Math.sqrt(stage.shape[0] / tallest)),
      LEAST_HEIGHT,
    );
    const boxTop = y + labelHeight;
    for (const { stage, label, column, width: boxWidth } of own) {
      const x = middles.get(column) ?? 0;
      stages.set(stage.name, { stage, label, row, x, width: boxWidth, top: boxTop, bottom: boxTop + height });
    }
    const ownLanes = [...lanes].flatMap(([{ from }, lane]) => (stages.get(from)?.row === row ? [lane + 1] : []));
    laneTops.set(row, boxTop + height + GAP * 0.75);
    y = boxTop + height + GAP + Math.max(0, ...ownLanes) * LANE;
  }
  const detours = [...lanes].map(([connection, lane]) => ({
    connection,
    y: (laneTops.get(stages.get(connection.from)?.row ?? 0) ?? 0) + lane * LANE,
  }));
  return { stages, detours, width, bottom: y };
}
