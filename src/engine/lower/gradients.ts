/** Gradients of filters. Sums over all places go into a buffer in the order of the kernels and are added to the gradient at the end. */
import { Buffer, type Place, type Word } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import { type Lowering, segmentsOf, targetAt, type View } from './context.js';
import { type Stencil, tapOffsets, windowLists } from './direct.js';
import type { Connection, FilterAccess } from './filters.js';
import {
  bandsOf,
  nestedPasses,
  type Pass,
  type Scratch,
  scratchOf,
  transformChunk,
  withChunksFor,
} from './nestedPass.js';
import { nameOf, pixelCount, pixelPlaces, placeLists, ZERO_PLACE } from './places.js';
import { prefersList } from './pointwise.js';
import { listed, type NestedLevel } from './sections.js';

/** The gradient of an output: its map, whose margins are zero. */
export interface OutputGradient {
  readonly tiles: Tiles;
  readonly place: Place;
}

/** Places of a pass where a row serves one product only. */
const PASS = 400;
const PANEL_FLOATS = 2 ** 17;

/** Rows reduced at once: 6, or 4 where 6 would be padded much. */
const blockOf = (rows: number): 4 | 6 => (rows % 6 !== 0 && roundUp(rows, 6) > 1.05 * rows ? 4 : 6);

/** Rows reduced at once in the transformed domain, for one or more outputs at 1 to 3 sections. */
function blockRows(outputs: number, sections: number, rows: number): number {
  if (outputs === 1) return sections === 1 ? 8 : 4;
  if (sections === 1) return blockOf(rows);
  return sections === 2 ? 3 : 2;
}

/** A buffer of sums that starts at zero. */
function sumsBuffer(lowering: Lowering, floats: number): Place {
  const bytes = roundUp(4 * floats + 64, 16);
  const place = lowering.scratch(bytes);
  lowering.program.call('clear', { map: place, bytes });
  return place;
}

function unpackProduct(
  lowering: Lowering,
  sums: Place,
  {
    access,
    taps,
    inputs,
    outputs,
    block,
    gradient,
  }: {
    access: FilterAccess;
    taps: readonly number[];
    inputs: number;
    outputs: number;
    block: number;
    gradient: Place;
  },
): void {
  lowering.program.call('unpackGemm', {
    sums,
    block,
    taps: taps.length,
    inputs,
    outputs,
    sumOutputs: roundUp(outputs, 2),
    gradient: gradient.plus(access.base),
    tapPlaces: lowering.table(`taps ${taps}`, taps.length, () => Int32Array.from(taps)),
    inputStride: access.input,
    outputStride: access.output,
  });
}

/** Pixels of a map; what fills the list up is zero in a gradient and does not count. */
const gradientList = (lowering: Lowering, tiles: Tiles): Place =>
  placeLists(lowering, `gradient pixels ${nameOf(tiles)}`, { lists: 1, places: pixelCount(tiles) }, () => {
    const places = pixelPlaces(tiles);
    const whole = new Float64Array(roundUp(places.length, lowering.wide)).fill(ZERO_PLACE);
    whole.set(places);
    return [whole];
  });

/** Rows (tap, input) gathered over lists of places, times outputs. */
function lowerGathered(
  lowering: Lowering,
  input: View,
  { from, taps, places }: { from: Place; taps: readonly number[]; places: Tiles },
  { access, inputs, outputs }: Pick<Connection, 'access' | 'inputs' | 'outputs'>,
  { place, channelStride, gradient }: { place: Place; channelStride: number; gradient: Place },
): void {
  const inner = taps.length * inputs;
  const block = blockOf(inner);
  const rows = roundUp(inner, block);
  const wide = Math.min(256, Math.max(32, Math.floor(PANEL_FLOATS / (inner + outputs) / 4) * 4));
  const panelRow = 4 * wide;
  const sums = sumsBuffer(lowering, rows * roundUp(outputs, 2));
  lowering.program.call('gatherGradient', {
    channels: lowering.addresses(input),
    inputs,
    from,
    taps: taps.length,
    listLength: roundUp(pixelCount(places), lowering.wide),
    pixels: roundUp(pixelCount(places), lowering.wide),
    gradient: place,
    gradientChannel: channelStride,
    to: gradientList(lowering, places),
    outputs,
    sumOutputs: roundUp(outputs, 2),
    offsets: lowering.table(`panel rows ${inner} ${rows} ${panelRow}`, rows, () =>
      Int32Array.from({ length: rows }, (_, r) => Math.min(r, inner - 1) * panelRow),
    ),
    rows,
    panel: lowering.scratch((inner + outputs) * panelRow + 256),
    panelRow,
    sums,
    block,
  });
  lowering.count(inner * outputs * pixelCount(places));
  unpackProduct(lowering, sums, { access, taps, inputs, outputs, block, gradient });
}

/** The filter's gradient of a 1x1 convolution. */
export function lowerPointwiseGradient(
  lowering: Lowering,
  input: View,
  output: OutputGradient,
  connection: Connection,
  gradient: Place,
): void {
  const { access, outputs, start } = connection;
  const { tiles } = output;
  const place = output.place.plus(start * tiles.channelStride);
  if (prefersList(lowering, tiles)) {
    lowerGathered(lowering, input, { from: gradientList(lowering, tiles), taps: [0], places: tiles }, connection, {
      place,
      channelStride: tiles.channelStride,
      gradient,
    });
    return;
  }
  const inner = input.channels;
  const block = blockOf(inner);
  const rows = roundUp(inner, block);
  const sums = sumsBuffer(lowering, rows * roundUp(outputs, 2));
  lowering.program.call('gemmGradient', {
    channels: lowering.addresses(input, 0, inner, rows),
    rows,
    start: tiles.first,
    planes: tiles.tile ** 2,
    planeStride: tiles.planeStride,
    length: tiles.length,
    gradient: place,
    gradientChannel: tiles.channelStride,
    outputs,
    sumOutputs: roundUp(outputs, 2),
    sums,
    pass: PASS,
    block,
  });
  lowering.count(rows * outputs * tiles.tile ** 2 * tiles.length);
  unpackProduct(lowering, sums, { access, taps: [0], inputs: inner, outputs, block, gradient });
}

/** The filter's gradient of a direct convolution. */
export function lowerDirectGradient(
  lowering: Lowering,
  input: View,
  output: OutputGradient,
  { connection, stencil }: { connection: Connection; stencil: Stencil },
  gradient: Place,
): void {
  const { access, groups, inputs, outputs, start, kernelSize } = connection;
  const { tiles } = output;
  for (let group = 0; group < groups; group++) {
    const first = start + group * outputs;
    const part: View = {
      tiles: input.tiles,
      channels: inputs,
      segments: segmentsOf(input, group * inputs, (group + 1) * inputs),
    };
    lowerGathered(
      lowering,
      part,
      {
        from: windowLists(lowering, stencil, input.tiles, tiles),
        taps: tapOffsets(access, kernelSize),
        places: tiles,
      },
      { access: { ...access, base: access.base + group * access.group }, inputs, outputs },
      { place: output.place.plus(first * tiles.channelStride), channelStride: tiles.channelStride, gradient },
    );
  }
}

/** The filter's gradient of a transposed convolution: its input plays the output of the convolution that it transposes. */
export function lowerTransposedGradient(
  lowering: Lowering,
  input: View,
  output: OutputGradient & { readonly channels: number },
  { access, stencil }: { access: FilterAccess; stencil: Stencil },
  gradient: Place,
): void {
  const { tiles, place, channels } = output;
  const dy = targetAt(tiles, channels, place);
  const taps = tapOffsets(access, stencil.kernelSize);
  const from = windowLists(lowering, stencil, tiles, input.tiles);
  let first = 0;
  for (const segment of input.segments) {
    lowerGathered(
      lowering,
      dy,
      { from, taps, places: input.tiles },
      {
        access: {
          ...access,
          base: access.base + first * access.input,
          input: access.output,
          output: access.input,
        },
        inputs: channels,
        outputs: segment.channels,
      },
      { place: segment.place, channelStride: input.tiles.channelStride, gradient },
    );
    first += segment.channels;
  }
}

/** Where the sums of a level lie, component by component. */
interface SumLists {
  readonly plan: Place;
  readonly table: Place;
  readonly floats: number;
  /** Products of one output and place. */
  readonly products: number;
}

/** Their number is divided by a product that is exact for smaller ones (simd/kernels/gradients.ts). */
const MOST_LISTS = 2 ** 14;

function sumLists(
  lowering: Lowering,
  tiles: Tiles,
  {
    points,
    inputs,
    outputs,
    level,
    scratch,
  }: {
    points: 5 | 6;
    inputs: number;
    outputs: number;
    level: NestedLevel;
    scratch: Scratch;
  },
): SumLists {
  const { sections } = level;
  const { count } = sections;
  if (inputs * count >= MOST_LISTS) throw new Error(`A filter of ${inputs} inputs has too many lists of sums.`);
  const words: Word[] = [];
  const table: number[] = [];
  let floats = 0;
  let products = 0;
  for (let a = 0; a < points; a++) {
    const rows = listed(sections, a, points);
    for (let b = 0; b < points; b++) {
      const columns = listed(sections, b, points);
      const lists = inputs * rows.length;
      const block = blockRows(outputs, columns.length, lists);
      const length = roundUp(lists, block);
      const key = `rows ${inputs} ${scratch.channelStride} ${tiles.pitch} ${rows} ${length}`;
      const list = lowering.table(key, length, () => {
        const places = Array.from({ length: inputs }, (_, i) =>
          rows.map((y) => i * scratch.channelStride + 4 * y * tiles.pitch),
        ).flat();
        return Int32Array.from({ length }, (_, r) => places[Math.min(r, places.length - 1)] ?? 0);
      });
      words.push(list, list.plus(4 * length), columns.length, 4 * (columns[0] ?? 0), 4 * floats, block);
      const positions = (of: readonly number[]) => Array.from({ length: count }, (_, s) => of.indexOf(s));
      // The number that stands for a division by the rows of a block (simd/kernels/gradients.ts).
      const division = Math.ceil(2 ** 18 / block);
      table.push(
        ...[4 * floats, block, columns.length, rows.length, division],
        ...positions(rows),
        ...positions(columns),
      );
      floats += length * columns.length * (outputs === 1 ? 1 : roundUp(outputs, 2));
      products += length * columns.length;
    }
  }
  return {
    plan: new Buffer(4 * words.length, 'table', words).at(),
    table: lowering.table(`sums ${table}`, table.length, () => Int32Array.from(table)),
    floats,
    products,
  };
}

/** Outputs whose components are made at a time. */
const OUTPUT_BLOCK = 64;

function lowerNestedPass(
  lowering: Lowering,
  input: View,
  output: OutputGradient,
  pass: Pass,
  gradients: ReadonlyMap<Connection['access'], Place>,
): void {
  const { tiles } = output;
  const { points, chunk, bandRows, above, below } = pass;
  const { program } = lowering;
  const scratch = scratchOf(lowering, tiles, pass);
  const kind = pass.levels[0]?.sections.kind ?? 0;
  const levels = pass.levels.map((level) => {
    const part = Math.min(level.inputs, chunk);
    // The components of all outputs are worth keeping where a thread goes through several chunks of a group.
    const isKept = level.inputs > chunk && input.channels > chunk * lowering.threads;
    const block = Math.min(level.outputs, isKept ? level.outputs : OUTPUT_BLOCK);
    const lists = new Map<number, SumLists>();
    const sums = new Map<string, Place>();
    return {
      ...level,
      part,
      block,
      listsOf: (outputs: number): SumLists => {
        const known = lists.get(outputs);
        if (known !== undefined) return known;
        const made = sumLists(lowering, tiles, { points, inputs: part, outputs, level, scratch });
        lists.set(outputs, made);
        return made;
      },
      sums,
    };
  });
  // All sums start at zero, before the first band.
  for (const level of levels) {
    for (let i0 = 0; i0 < level.inputs * level.groups; i0 += level.part) {
      for (let o0 = 0; o0 < level.outputs; o0 += level.block) {
        const outputs = Math.min(level.block, level.outputs - o0);
        level.sums.set(`${i0} ${o0}`, sumsBuffer(lowering, level.listsOf(outputs).floats));
      }
    }
  }
  // Chunks of inputs are shared out, or where there are too few, blocks of outputs: no sum has two authors.
  const chunks = Array.from({ length: Math.ceil(input.channels / chunk) }, (_, i) => i * chunk);
  const blocks = Math.max(...levels.map(({ outputs, block }) => Math.ceil(outputs / block)));
  const byOutputs = chunks.length < Math.min(lowering.threads, blocks);
  const items = byOutputs ? Array.from({ length: blocks }, (_, i) => i) : chunks;
  lowering.share(items, (own) => {
    const scratch = scratchOf(lowering, tiles, pass);
    const mine = byOutputs ? chunks : own;
    const [firstChunk = 0] = mine;
    const components = levels.map((level) =>
      lowering.scratch(roundUp(level.block, 2) * points ** 2 * scratch.sumComponent + 512),
    );
    for (const { sample, t0 } of bandsOf(tiles, bandRows)) {
      const rows = Math.min(bandRows, tiles.tileRows - t0);
      const length = rows * tiles.pitch;
      const reach = above + below;
      const band = tiles.first + sample * tiles.sampleStride + 4 * t0 * tiles.pitch;
      for (const c0 of mine) {
        transformChunk(lowering, input, pass, scratch, {
          kind,
          start: band - 4 * above * (tiles.pitch + 1),
          length: roundUp(length + reach * tiles.pitch + reach + 4, 4),
          c0,
        });
        for (const [index, level] of levels.entries()) {
          const { inputs, outputs, part, block, sections } = level;
          const place = components[index];
          if (place === undefined) continue;
          const inset = 4 * (above - sections.before) * (tiles.pitch + 1);
          for (let i0 = c0; i0 < c0 + chunk; i0 += part) {
            const group = Math.floor(i0 / inputs);
            for (let o0 = 0; o0 < outputs; o0 += block) {
              if (byOutputs && !own.includes(o0 / block)) continue;
              const count = Math.min(block, outputs - o0);
              const lists = level.listsOf(count);
              // The components of the outputs stay while the inputs of their group go by.
              if (block < outputs || i0 === Math.max(group * inputs, firstChunk)) {
                program.call(points === 5 ? 'gradient3' : 'gradient4', {
                  gradient: output.place.plus((level.start + group * outputs + o0) * tiles.channelStride + band),
                  gradientChannel: tiles.channelStride,
                  planeStride: tiles.planeStride,
                  length,
                  count,
                  components: place,
                  outputStride: points ** 2 * scratch.sumComponent,
                  componentStride: scratch.sumComponent,
                });
              }
              program.call('nestedGradient', {
                components: scratch.components.plus((i0 - c0) * scratch.channelStride + inset),
                componentStride: scratch.componentStride,
                plan: lists.plan,
                outputs: place,
                outputStride: points ** 2 * scratch.sumComponent,
                outputComponent: scratch.sumComponent,
                sums: level.sums.get(`${i0} ${o0}`) ?? ZERO_PLACE,
                count: points ** 2,
                outputCount: count,
                length,
                pass: PASS,
              });
              lowering.count(lists.products * count * length);
            }
          }
        }
      }
    }
  });
  for (const level of levels) {
    const { access, inputs, outputs, part, block, sections, kernelSize } = level;
    const gradient = gradients.get(access);
    if (gradient === undefined) throw new Error('A level has no gradient to write.');
    for (let i0 = 0; i0 < inputs * level.groups; i0 += part) {
      const group = Math.floor(i0 / inputs);
      for (let o0 = 0; o0 < outputs; o0 += block) {
        const count = Math.min(block, outputs - o0);
        const offset = group * access.group + (i0 - group * inputs) * access.input + o0 * access.output;
        program.call(points === 5 ? 'unpackNested3' : 'unpackNested4', {
          sums: level.sums.get(`${i0} ${o0}`) ?? ZERO_PLACE,
          table: level.listsOf(count).table,
          sections: sections.count,
          lead: sections.lead,
          kernelSize: kernelSize[0],
          inputs: part,
          outputs: count,
          gradient: gradient.plus(access.base + offset),
          rowStride: access.row,
          columnStride: access.column,
          inputStride: access.input,
          outputStride: access.output,
        });
      }
    }
  }
}

/** Kernels of more than three sections a side have no nested gradient. */
export const LARGEST_NESTED_GRADIENT = 9;

/** The filters' gradients of nested convolutions of one input, kernels of LARGEST_NESTED_GRADIENT at most. */
export function lowerNestedGradient(
  lowering: Lowering,
  input: View,
  output: OutputGradient,
  connections: readonly Connection[],
  gradients: ReadonlyMap<Connection['access'], Place>,
): void {
  // Bands add to the same sums: they are the same ones for any number of threads, which share out channels here.
  for (const pass of nestedPasses(lowering, input, connections, 1)) {
    const shared = withChunksFor(pass, input.channels, lowering.threads);
    lowerNestedPass(lowering, input, output, shared, gradients);
  }
}
