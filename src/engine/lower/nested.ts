/**
 * Convolutions of stride 1 by nested Winograd: a k x k kernel is a square of 3x3 sections; with tiles of 3x3 pixels one transform of the
 * input serves all sections and every level whose windows start alike, and each component is a sum over (input, section).
 */
import { EPILOGUE_BYTES } from '../epilogue.js';
import { Buffer, type Place, type Word } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import { type Lowering, type Machine, segmentsOf, type View } from './context.js';
import type { Connection, Destination, Finish } from './filters.js';
import type { Stencil } from './products.js';

/** How a kernel of odd size falls into 3x3 sections. */
interface Sections {
  /** Windows start one (0) or two (1) pixels before a tile. */
  readonly kind: 0 | 1;
  readonly count: number;
  /** Taps of zero in front of the first one and behind the last. */
  readonly lead: number;
  readonly trail: number;
  /** Tiles from the first section to the tile itself. */
  readonly before: number;
}

/** Largest kernel whose sections stay within a map's margins. */
const LARGEST_KERNEL = 13;

const modulo = (a: number, b: number): number => ((a % b) + b) % b;

/** The kind that needs the fewest taps of zero. */
const naturalKind = (kernelSize: number): 0 | 1 => (((kernelSize - 1) / 2) % 3 === 2 ? 1 : 0);

function sectionsOf(kernelSize: number, kind = naturalKind(kernelSize)): Sections {
  const half = (kernelSize - 1) / 2;
  const lead = modulo(1 + kind - half, 3);
  const count = Math.ceil((kernelSize + lead) / 3);
  return { kind, count, lead, trail: 3 * count - kernelSize - lead, before: (half + lead - 1 - kind) / 3 };
}

/** The sections of a component along one axis: a tap of zero empties the point 0 of the first or infinity of the last. */
export function listed({ count, lead, trail }: Sections, component: number, points: number): number[] {
  return Array.from({ length: count }, (_, s) => s).filter(
    (s) => !(s === 0 && lead > 0 && component === 0) && !(s === count - 1 && trail > 0 && component === points - 1),
  );
}

/** Products for one tile, input and output. */
const productsOf = ({ count, lead, trail }: Sections, tile: 3 | 4): number =>
  ((tile + 2) * count - Math.min(lead, 1) - Math.min(trail, 1)) ** 2;

/** Products for one tile, input and output. */
export const productsPerTile = (kernelSize: number, tile: 3 | 4): number => productsOf(sectionsOf(kernelSize), tile);

/** A connection with what its kernels need to know. */
export interface NestedLevel extends Connection {
  readonly sections: Sections;
}

/** Geometry of one pass: all levels of one kind over bands of tile rows. */
export interface Pass {
  readonly points: 5 | 6;
  readonly levels: readonly NestedLevel[];
  /** Channels transformed at a time. */
  readonly chunk: number;
  readonly bandRows: number;
  /** Tiles above (and left of) a band that are transformed too, and below. */
  readonly above: number;
  readonly below: number;
}

/** Bytes of the components of a band that stay in the second cache beside the sums. */
const COMPONENT_FLOATS = 4600;
const CHUNK_SHARE = 8;
/** Sums of more outputs than this do not wait for further channels: all channels are transformed at once instead. */
const MOST_WAITING = 128;
const OUTPUT_BLOCK = 64;

const divides = (a: number, b: number): boolean => a % b === 0 || b % a === 0;

/** The largest number of channels in which every group lies whole, or which lies in every group. */
function chunkOf(channels: number, levels: readonly NestedLevel[]): number {
  // A group that is not much larger is taken whole: its sums need not wait.
  const groups = levels.map(({ inputs }) => inputs).filter((inputs) => inputs <= (2 * channels) / CHUNK_SHARE);
  const most = Math.max(4, channels / CHUNK_SHARE, ...groups);
  for (let chunk = Math.floor(most); chunk > 1; chunk--) {
    if (channels % chunk === 0 && levels.every(({ inputs }) => divides(chunk, inputs))) return chunk;
  }
  return 1;
}

const isRows = ({ outputs, sections }: NestedLevel): boolean => outputs === 1 && sections.count <= 3;

function bandRowsOf(tiles: Tiles, chunk: number, levels: readonly NestedLevel[], machine: Machine): number {
  // Every thread gets a band at least.
  const share = Math.ceil((tiles.tileRows * tiles.batch) / machine.threads);
  const most = Math.min(tiles.tileRows, share, Math.max(1, Math.floor(COMPONENT_FLOATS / (chunk * tiles.pitch))));
  const count = Math.ceil(tiles.tileRows / most);
  const rows = Math.ceil(tiles.tileRows / count);
  // Groups of one output compute so many tile rows at once.
  const step = machine.vectors === 6 ? 5 : 4;
  return levels.some(isRows) && most >= step ? Math.floor(most / step) * step : rows;
}

/** The bands of all images, by their first tile row. */
export function bandsOf({ batch, tileRows }: Tiles, bandRows: number): { sample: number; t0: number }[] {
  return Array.from({ length: batch }, (_, sample) =>
    Array.from({ length: Math.ceil(tileRows / bandRows) }, (_, band) => ({ sample, t0: band * bandRows })),
  ).flat();
}

/** Strides of the buffers of a pass, in bytes. */
export interface Scratch {
  readonly components: Place;
  readonly componentStride: number;
  readonly channelStride: number;
  readonly sumComponent: number;
  readonly sumOutput: number;
  readonly rows: Place;
  readonly rowStride: number;
}

export function scratchOf(lowering: Lowering, tiles: Tiles, pass: Pass): Scratch {
  const { points, chunk, bandRows, above, below, levels } = pass;
  const reach = above + below;
  const spare = levels.some(isRows) ? 5 * tiles.pitch : 0;
  const columns = roundUp((bandRows + reach) * tiles.pitch + 48 + spare, 4);
  // Neighbouring channels do not fall on the same lines of the cache.
  const channel = (columns / 4) % 2 === 0 ? columns + 4 : columns;
  const component = chunk * channel + 20;
  const wide = roundUp(bandRows * tiles.pitch + 32 + spare, 4);
  const sum = wide % 64 === 0 ? wide + 4 : wide;
  const row = roundUp((bandRows + reach + 2) * tiles.pitch + 24, 4) + 4;
  return {
    components: lowering.scratch(4 * (points ** 2 * component + 4096)),
    componentStride: 4 * component,
    channelStride: 4 * channel,
    sumComponent: 4 * sum,
    sumOutput: 4 * points ** 2 * sum,
    rows: lowering.scratch(4 * (points * tiles.tile * row + 64)),
    rowStride: 4 * row,
  };
}

/** Bytes between the weights of two components: at equal distances of whole pages they would all fall on the same lines of the cache. */
const SKEW = 64;

/** Offsets of the products of each component, and their numbers. */
interface ProductLists {
  readonly plan: Place;
  /** For `packNested`. */
  readonly packTable: Int32Array;
  readonly weightBytes: number;
  /** Products of one output, all components together. */
  readonly products: number;
}

function productLists(
  lowering: Lowering,
  tiles: Tiles,
  {
    points,
    inputs,
    outputs,
    sections,
    channelStride,
    asRows,
  }: {
    points: 5 | 6;
    inputs: number;
    outputs: number;
    sections: Sections;
    channelStride: number;
    asRows: boolean;
  },
): ProductLists {
  const { count } = sections;
  const padded = asRows ? 1 : 2 * Math.ceil(outputs / 2);
  const packTable: number[] = [];
  const words: Word[] = [];
  let offset = 0;
  let products = 0;
  for (let a = 0; a < points; a++) {
    const rows = listed(sections, a, points);
    for (let b = 0; b < points; b++) {
      const columns = listed(sections, b, points);
      const perInput = rows.length * columns.length;
      const perOutput = inputs * perInput;
      const pairs = asRows
        ? columns.flatMap((x) => rows.map((y) => [y, x] as const))
        : rows.flatMap((y) => columns.map((x) => [y, x] as const));
      // Factors of two outputs stand side by side.
      const bytes = asRows ? 4 : 8;
      const positions = new Array<number>(count ** 2).fill(-1);
      for (const [position, [y, x]] of pairs.entries()) positions[y * count + x] = bytes * position;
      packTable.push(offset, bytes * perInput, ...positions);
      const key = `${points} ${inputs} ${channelStride} ${tiles.pitch} ${asRows} ${rows}/${columns}`;
      const places = asRows ? columns.map((x) => 4 * x) : pairs.map(([y, x]) => 4 * (y * tiles.pitch + x));
      const list = lowering.table(`products ${key}`, inputs * places.length, () =>
        Int32Array.from(
          Array.from({ length: inputs }, (_, i) => places.map((place) => i * channelStride + place)).flat(),
        ),
      );
      words.push(list, list.plus(4 * inputs * places.length), offset);
      if (asRows) words.push(rows.length, 4 * (rows[0] ?? 0) * tiles.pitch);
      offset += 4 * perOutput * padded + SKEW;
      products += perOutput;
    }
  }
  const plan = new Buffer(4 * words.length, 'table', words).at();
  return { plan, packTable: Int32Array.from(packTable), weightBytes: offset, products };
}

/** Everything of one level in a pass. */
interface PreparedLevel extends NestedLevel {
  readonly lists: ProductLists;
  readonly asRows: boolean;
  /** Inputs of one product: those of a group, or of a chunk where the group is larger. */
  readonly part: number;
  /** Outputs of one product. */
  readonly block: number;
}

function packed(
  lowering: Lowering,
  { owner, factors }: { owner: string; factors: Float64Array },
  { access, kernelSize, sections, outputs, start, lists, asRows, part }: PreparedLevel,
  range: { points: 5 | 6; group: number; firstInput: number; from: number; to: number },
): Place {
  const { points, group, firstInput, from, to } = range;
  const first = start + group * outputs + from;
  const offset = group * access.group + firstInput * access.input + from * access.output;
  return lowering.weights.packed(
    `${owner} ${access.filter.name} nested ${access.key} ${points} ${sections.lead} ${group}:${from}-${to} ${firstInput}+${part} ${asRows}`,
    lists.weightBytes,
    { filter: access.filter, factors: factors.subarray(first, first + to - from) },
    (program, places) => {
      program.call('packNested', {
        filter: places.filter.plus(access.base + offset),
        rowStride: access.row,
        columnStride: access.column,
        inputStride: access.input,
        outputStride: access.output,
        kernelSize: kernelSize[0],
        lead: sections.lead,
        sections: sections.count,
        inputs: part,
        outputs: to - from,
        scale: places.scale,
        points,
        table: places.table(lists.packTable),
        weights: places.weights,
        block: asRows ? 1 : 2,
      });
    },
  );
}

/** The filters of all parts of a level, by group, first input and first output. */
function packedParts(
  lowering: Lowering,
  finish: Finish,
  level: PreparedLevel,
  points: 5 | 6,
): (group: number, firstInput: number, from: number) => Place {
  const { groups, inputs, outputs, part, block } = level;
  const places = new Map<string, Place>();
  for (let group = 0; group < groups; group++) {
    for (let firstInput = 0; firstInput < inputs; firstInput += part) {
      for (let from = 0; from < outputs; from += block) {
        const to = Math.min(from + block, outputs);
        places.set(
          `${group} ${firstInput} ${from}`,
          packed(lowering, finish, level, { points, group, firstInput, from, to }),
        );
      }
    }
  }
  return (group, firstInput, from) => {
    const place = places.get(`${group} ${firstInput} ${from}`);
    if (place === undefined) throw new Error('A part of a filter has not been packed.');
    return place;
  };
}

/** Lowers the levels of one pass. */
function lowerPass(
  lowering: Lowering,
  input: View,
  pass: Pass,
  finish: Finish,
  { place, accumulate }: Destination,
): void {
  const { tiles } = input;
  const { points, chunk, bandRows, above } = pass;
  const { record } = finish;
  const kind = pass.levels[0]?.sections.kind ?? 0;
  const { program } = lowering;
  const layout = scratchOf(lowering, tiles, pass);
  const prepared = pass.levels.map((nested) => {
    const asRows = isRows(nested) && points === 5 && nested.inputs <= chunk;
    const part = Math.min(nested.inputs, chunk);
    const block = blockOf(nested, chunk);
    const lists = productLists(lowering, tiles, {
      points,
      inputs: part,
      outputs: block,
      sections: nested.sections,
      channelStride: layout.channelStride,
      asRows,
    });
    const level: PreparedLevel = { ...nested, lists, asRows, part, block };
    return { level, weightsOf: packedParts(lowering, finish, level, points) };
  });
  lowering.share(bandsOf(tiles, bandRows), (bands) => {
    const scratch = scratchOf(lowering, tiles, pass);
    const levels = prepared.map(({ level, weightsOf }) => {
      const outputs = level.asRows ? 1 : 2 * Math.ceil(level.block / 2);
      return { ...level, weightsOf, sums: lowering.scratch(outputs * scratch.sumOutput + 512) };
    });
    for (const { sample, t0 } of bands) {
      const rows = Math.min(bandRows, tiles.tileRows - t0);
      const length = rows * tiles.pitch;
      const reach = above + pass.below;
      // Of the first tile that is transformed, in a plane.
      const band = tiles.first + sample * tiles.sampleStride + 4 * t0 * tiles.pitch;
      const start = band - 4 * above * (tiles.pitch + 1);
      const inverse = (sums: Place, first: number, count: number) => {
        program.call(points === 5 ? 'inverse3' : 'inverse4', {
          sums,
          sumOutput: scratch.sumOutput,
          sumComponent: scratch.sumComponent,
          out: place.plus(first * tiles.channelStride + band),
          outChannel: tiles.channelStride,
          planeStride: tiles.planeStride,
          length,
          count,
          epilogue: record.plus(first * EPILOGUE_BYTES),
          accumulate: accumulate ? 1 : 0,
        });
      };
      for (let c0 = 0; c0 < input.channels; c0 += chunk) {
        transformChunk(lowering, input, pass, scratch, {
          kind,
          start,
          length: roundUp(length + reach * tiles.pitch + reach, 4),
          c0,
        });
        for (const level of levels) {
          const { sections, inputs, outputs, lists, asRows, part, block, sums } = level;
          const inset = 4 * (above - sections.before) * (tiles.pitch + 1);
          for (let i0 = c0; i0 < c0 + chunk; i0 += part) {
            const group = Math.floor(i0 / inputs);
            const firstInput = i0 - group * inputs;
            for (let o0 = 0; o0 < outputs; o0 += block) {
              const o1 = Math.min(o0 + block, outputs);
              const common = {
                components: scratch.components.plus((i0 - c0) * scratch.channelStride + inset),
                componentStride: scratch.componentStride,
                plan: lists.plan,
                weights: level.weightsOf(group, firstInput, o0),
                sums,
                sumComponent: scratch.sumComponent,
                count: points ** 2,
                length,
              };
              if (asRows) program.call('nestedRows', { ...common, pitch: tiles.pitch });
              else {
                program.call('nested', {
                  ...common,
                  sumOutput: scratch.sumOutput,
                  outputs: o1 - o0,
                  accumulate: firstInput > 0 ? 1 : 0,
                });
              }
              lowering.count(lists.products * (o1 - o0) * length);
              if (firstInput + part === inputs) inverse(sums, level.start + group * outputs + o0, o1 - o0);
            }
          }
        }
      }
    }
  });
}

/** Transforms the channels of a chunk for one band. */
export function transformChunk(
  lowering: Lowering,
  input: View,
  { points, chunk }: Pass,
  scratch: Scratch,
  { kind, start, length, c0 }: { kind: 0 | 1; start: number; length: number; c0: number },
): void {
  const { tiles } = input;
  let done = 0;
  for (const segment of segmentsOf(input, c0, c0 + chunk)) {
    const common = {
      input: segment.place.plus(start),
      inputChannel: tiles.channelStride,
      planeStride: tiles.planeStride,
      pitch: tiles.pitch,
      length,
      count: segment.channels,
      components: scratch.components.plus(done * scratch.channelStride),
      componentStride: scratch.componentStride,
      channelStride: scratch.channelStride,
      rows: scratch.rows,
      rowStride: scratch.rowStride,
    };
    if (points === 5) lowering.program.call('transform3', { ...common, kind });
    else lowering.program.call('transform4', common);
    done += segment.channels;
  }
}

/** Outputs computed at a time. */
function blockOf({ inputs, outputs }: NestedLevel, chunk: number): number {
  // The sums wait for the other channels of the group.
  if (inputs > chunk) return outputs;
  return Math.min(outputs, OUTPUT_BLOCK);
}

/** Whether a convolution can be computed here. */
export function isNestable(
  { kernelSize: [kh, kw], strides, dilations, before }: Stencil,
  tile: 3 | 4,
  sameSize: boolean,
): boolean {
  const half = (kh - 1) / 2;
  return (
    sameSize &&
    kh === kw &&
    kh >= 3 &&
    kh % 2 === 1 &&
    kh <= (tile === 3 ? LARGEST_KERNEL : 3) &&
    [...strides, ...dilations].every((n) => n === 1) &&
    before.every((n) => n === half)
  );
}

/** Multiply-accumulates that take as long as the transform of one tile. */
const TRANSFORM_MACS = 200;

/**
 * Levels of two kinds need two transforms of the input. Where groups are small, one transform and kernels of 5x5 with two taps of zero in
 * front, as if they were 7x7, take less time.
 */
function withSections(connections: readonly Connection[], channels: number): NestedLevel[] {
  const levels = connections.map(
    (connection): NestedLevel => ({ ...connection, sections: sectionsOf(connection.kernelSize[0]) }),
  );
  const alike = levels.map((level): NestedLevel => ({ ...level, sections: sectionsOf(level.kernelSize[0], 0) }));
  const products = (of: readonly NestedLevel[]) =>
    of.reduce(
      (sum, { sections, groups, inputs, outputs }) => sum + productsOf(sections, 3) * groups * inputs * outputs,
      0,
    );
  const isMixed = new Set(levels.map(({ sections }) => sections.kind)).size > 1;
  return isMixed && products(alike) - products(levels) < TRANSFORM_MACS * channels ? alike : levels;
}

/** The passes over an input: connections whose windows start alike share the transform of the input. */
export function nestedPasses(
  lowering: Lowering,
  { tiles, channels }: View,
  connections: readonly Connection[],
  /** Threads that share the bands. */
  threads: number,
): Pass[] {
  const points = tiles.tile === 3 ? 5 : 6;
  const nested = withSections(connections, channels);
  const isLarge = ({ outputs }: NestedLevel) => outputs > MOST_WAITING || points === 6;
  const passes: NestedLevel[][] = [
    ...nested.filter(isLarge).map((level) => [level]),
    ...([0, 1] as const).map((kind) => nested.filter((l) => !isLarge(l) && l.sections.kind === kind)),
  ].filter((pass) => pass.length > 0);
  return passes.map((members) => {
    const isAlone = members.some(isLarge);
    const chunk = isAlone ? (members[0]?.inputs ?? 1) : chunkOf(channels, members);
    // All channels at once are larger than the cache anyhow: few bands, so that the filters are read few times.
    const size = isAlone ? Math.min(chunk, 16) : chunk;
    return {
      points,
      levels: members,
      chunk,
      bandRows: bandRowsOf(tiles, size, members, { vectors: lowering.machine.vectors, threads }),
      above: Math.max(...members.map(({ sections }) => sections.before)),
      below: Math.max(...members.map(({ sections }) => sections.count - 1 - sections.before)),
    };
  });
}

/** Computes connections of one input to one target. */
export function lowerNested(
  lowering: Lowering,
  input: View,
  connections: readonly Connection[],
  finish: Finish,
  destination: Destination,
): void {
  for (const pass of nestedPasses(lowering, input, connections, lowering.threads)) {
    lowerPass(lowering, input, pass, finish, destination);
  }
}
