/** The filters of nested convolutions in the transformed domain, and the lists of products that read them. */
import { Buffer, type Place, type Word } from '../program.js';
import { roundUp, type Tiles } from '../tiles.js';
import type { Lowering } from './context.js';
import type { Finish } from './filters.js';
import { isRows, type Pass, scratchOf } from './nestedPass.js';
import { listed, type NestedLevel, type Sections } from './sections.js';

const OUTPUT_BLOCK = 64;

/**
 * Products that are added up before their sum goes to the others: a long sum loses digits. Their components of a register tile stay in
 * the first cache while all outputs take them. Where each product has an input of its own, every few lines of the cache, what is
 * fetched between them fills it, too.
 */
const summedOf = ({ count }: Sections): number => (count === 1 ? 64 : 128);

/**
 * Inputs whose filters lie together for all outputs of a block: those of one sum, so that memory is read in its order. Where sums
 * divide the inputs otherwise, and for the sections of larger kernels, all inputs of an output lie together.
 */
function runOf(inputs: number, sections: Sections, asRows: boolean): number {
  const summed = summedOf(sections);
  return sections.count === 1 && inputs % summed === 0 && !asRows ? summed : inputs;
}

/** Outputs whose filters are packed as one. */
export function blockOf({ inputs, outputs }: NestedLevel, chunk: number): number {
  // The sums wait for the other channels of the group.
  if (inputs > chunk) return outputs;
  return Math.min(outputs, OUTPUT_BLOCK);
}

/** Bytes between the weights of two components: at equal distances of whole pages they would all fall on the same lines of the cache. */
const SKEW = 64;

/** Offsets of the products of each component, and their numbers. */
interface ProductLists {
  /** The lists for a block of outputs without the first ones, of an even number. */
  readonly planFrom: (first: number) => Place;
  /** For `packNested3` and `packNested4`; made when it is asked for. */
  readonly packTable: () => Int32Array;
  /** Inputs that are packed together, and where there are several such runs, bytes from one to the next in each component. */
  readonly run: number;
  readonly runBytes: number;
  /** Bytes of a list whose products are added up before their sum goes to the others. */
  readonly summedBytes: number;
  readonly weightBytes: number;
  /** Products of one output, all components together. */
  readonly products: number;
}

/** The places of every input, one input behind the other. */
function inputOffsets(inputs: number, channelStride: number, places: readonly number[]): Int32Array {
  const offsets = new Int32Array(inputs * places.length);
  offsets.set(places);
  for (let i = places.length; i < offsets.length; i++) offsets[i] = (offsets[i - places.length] ?? 0) + channelStride;
  return offsets;
}

/** The sections of one component, and where its weights begin. */
interface Component {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly weights: number;
}

/** The sections of a component in the order of its products, [row, column]. */
function sectionPairs({ rows, columns }: Component, asRows: boolean): [number, number][] {
  return asRows
    ? columns.flatMap((x) => rows.map((y): [number, number] => [y, x]))
    : rows.flatMap((y) => columns.map((x): [number, number] => [y, x]));
}

/** For `packNested3` and `packNested4`: of each component where its weights begin, their bytes an input, and among these those of each section. */
function packTable(components: readonly Component[], { count }: Sections, asRows: boolean): Int32Array {
  const width = 2 + count ** 2;
  // A section that is not listed.
  const table = new Int32Array(components.length * width).fill(-1);
  // Factors of two outputs stand side by side.
  const bytes = asRows ? 4 : 8;
  for (const [i, component] of components.entries()) {
    const pairs = sectionPairs(component, asRows);
    table.set([component.weights, bytes * pairs.length], i * width);
    for (const [position, [y, x]] of pairs.entries()) table[i * width + 2 + y * count + x] = bytes * position;
  }
  return table;
}

function productLists(
  lowering: Lowering,
  { pitch }: Tiles,
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
  const padded = asRows ? 1 : roundUp(outputs, 2);
  const run = runOf(inputs, sections, asRows);
  const runBytes = 4 * run * padded;
  const summed = summedOf(sections);
  // The next sum's filters follow those of the whole block, or within the list of a pair of outputs.
  const nextSum = run < inputs ? runBytes : 8 * summed;
  const axis = Array.from({ length: points }, (_, component) => listed(sections, component, points));
  const components: Component[] = [];
  const entries: { words: Word[]; weights: number; outputBytes: number; own: number[] }[] = [];
  let weightBytes = 0;
  let products = 0;
  for (const rows of axis) {
    for (const columns of axis) {
      const component = { rows, columns, weights: weightBytes };
      const perInput = rows.length * columns.length;
      const length = inputs * (asRows ? columns.length : perInput);
      const key = `products ${points} ${inputs} ${channelStride} ${pitch} ${asRows} ${rows}/${columns}`;
      const list = lowering.table(key, length, () => {
        const places = asRows
          ? columns.map((x) => 4 * x)
          : sectionPairs(component, asRows).map(([y, x]) => 4 * (y * pitch + x));
        return inputOffsets(inputs, channelStride, places);
      });
      const outputBytes = 4 * run * perInput;
      const own = asRows ? [rows.length, 4 * (rows[0] ?? 0) * pitch] : [outputBytes, nextSum];
      components.push(component);
      entries.push({ words: [list, list.plus(4 * length)], weights: weightBytes, outputBytes, own });
      weightBytes += 4 * inputs * perInput * padded + SKEW;
      products += inputs * perInput;
    }
  }
  let table: Int32Array | null = null;
  const plans = new Map<number, Place>();
  const planFrom = (first: number): Place => {
    const known = plans.get(first);
    if (known !== undefined) return known;
    const words = entries.flatMap(({ words, weights, outputBytes, own }) => [
      ...words,
      weights + outputBytes * first,
      ...own,
    ]);
    const plan = new Buffer(4 * words.length, 'table', words).at();
    plans.set(first, plan);
    return plan;
  };
  return {
    ...{ planFrom, products, run, runBytes, weightBytes },
    packTable: () => {
      table ??= packTable(components, sections, asRows);
      return table;
    },
    summedBytes: 4 * summed,
  };
}

/** How the products of a level are cut. */
interface CutLevel extends NestedLevel {
  readonly lists: ProductLists;
  readonly asRows: boolean;
  /** Inputs of one product: those of a group, or of a chunk where the group is larger. */
  readonly part: number;
  /** Outputs whose filters are packed as one. */
  readonly block: number;
}

/** Everything of one level in a pass. */
export interface PreparedLevel extends CutLevel {
  /** The packed filters of a group for a part of its inputs and a block of its outputs, by the first of each. */
  readonly weightsOf: (group: number, firstInput: number, block: number) => Place;
}

function packed(
  lowering: Lowering,
  { owner, factors }: { owner: string; factors: Float64Array },
  { access, kernelSize, sections, outputs, start, lists, asRows, part }: CutLevel,
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
      const table = places.table(lists.packTable());
      const { run, runBytes } = lists;
      for (let input = 0; input < part; input += run) {
        program.call(points === 5 ? 'packNested3' : 'packNested4', {
          filter: places.filter.plus(access.base + offset + input * access.input),
          rowStride: access.row,
          columnStride: access.column,
          inputStride: access.input,
          outputStride: access.output,
          kernelSize: kernelSize[0],
          lead: sections.lead,
          sections: sections.count,
          inputs: run,
          outputs: to - from,
          scale: places.scale,
          table,
          weights: places.weights.plus((input / run) * runBytes),
          block: asRows ? 1 : 2,
        });
      }
    },
  );
}

/** The filters of all parts of a level, by group, first input and first output. */
function packedParts(lowering: Lowering, finish: Finish, level: CutLevel, points: 5 | 6): PreparedLevel['weightsOf'] {
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

/**
 * Packs the filters of a level and lists its products.
 *
 * @param layout The pass by which components lie in memory.
 */
export function prepareLevel(
  lowering: Lowering,
  tiles: Tiles,
  level: NestedLevel,
  { pass, layout, finish }: { pass: Pass; layout: Pass; finish: Finish },
): PreparedLevel {
  const { points, chunk } = pass;
  const asRows = isRows(level, points) && level.inputs <= chunk;
  const part = Math.min(level.inputs, chunk);
  const block = blockOf(level, chunk);
  const { channelStride } = scratchOf(lowering, tiles, layout);
  const { sections } = level;
  const lists = productLists(lowering, tiles, {
    points,
    inputs: part,
    outputs: block,
    sections,
    channelStride,
    asRows,
  });
  const cut = { ...level, lists, asRows, part, block };
  return { ...cut, weightsOf: packedParts(lowering, finish, cut, points) };
}
