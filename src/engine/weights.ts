/** Filters and epilogues as the kernels read them. */

import { Buffer, type Place, Program } from './program.js';
import { roundUp } from './tiles.js';
import type { Read, Weight } from './types.js';

/** Where a packing reads and writes, and how it gets a table. */
export interface PackPlaces {
  readonly filter: Place;
  readonly scale: Place;
  readonly weights: Place;
  readonly table: (content: Int32Array) => Place;
}

/** The same for a filter made of two. */
export type ComposedPlaces = PackPlaces & { readonly second: Place };

/** Writes the calls that pack a filter. */
export type PackCalls = (program: Program, places: PackPlaces) => void;

/** Vectors of factors are read four at a time. */
const padded = (values: Float64Array): Float32Array => {
  const result = new Float32Array(roundUp(values.length, 4));
  result.set(values);
  return result;
};

/** A filter and its factors, one an output. */
interface Source {
  readonly filter: Weight;
  readonly factors: Float64Array;
}

/** Register tiles read whole vectors beyond the end. */
const packedBuffer = (bytes: number, kind: Buffer['kind']): Buffer => new Buffer(bytes + 64, kind);

/**
 * Writes the calls that pack a filter.
 *
 * @param kind Of the factors and tables.
 */
function pack(
  program: Program,
  kind: Buffer['kind'],
  { filter, factors, weights }: { readonly filter: Buffer; readonly factors: Float64Array; readonly weights: Buffer },
  calls: PackCalls,
): void {
  const scale = padded(factors);
  calls(program, {
    filter: filter.at(),
    scale: new Buffer(scale.byteLength, kind, scale).at(),
    weights: weights.at(),
    table: (content) => new Buffer(content.byteLength, kind, content).at(),
  });
}

/** Where a weight lies as the model has it. */
export function masterOf(masters: ReadonlyMap<Weight, Buffer>, variable: Weight): Buffer {
  const master = masters.get(variable);
  if (master === undefined) throw new Error(`The weight ${variable.name} has no place in the plan.`);
  return master;
}

/** Where a lowering gets its filters. */
export interface Weights {
  /**
   * A filter in another order.
   *
   * @param key Everything that the order depends on.
   * @param factors One an output, multiplied into the filter.
   */
  packed(key: string, bytes: number, source: Source, calls: PackCalls): Place;
}

/** Weights that do not change: packed once, and shared by the programs of several sizes. */
export class FixedWeights implements Weights {
  private readonly buffers = new Map<string, Buffer>();
  private program = new Program();

  /**
   * @param masters The weights as the model has them, placed.
   * @param valuesOf Their values.
   */
  constructor(
    private readonly masters: ReadonlyMap<Weight, Buffer>,
    private readonly valuesOf: (master: Buffer) => Float32Array,
  ) {}

  /** The values of a weight, until memory grows. */
  readonly read: Read = (variable) => this.valuesOf(masterOf(this.masters, variable));

  /** A weight that needs no packing. */
  constant(key: string, content: () => Float32Array): Place {
    const known = this.buffers.get(key);
    if (known !== undefined) return known.at();
    const values = content();
    const buffer = new Buffer(values.byteLength, 'weights', values);
    this.buffers.set(key, buffer);
    return buffer.at();
  }

  packed(key: string, bytes: number, { filter, factors }: Source, calls: PackCalls): Place {
    return this.made(key, bytes, { filter: masterOf(this.masters, filter), factors, name: filter.name }, calls);
  }

  /**
   * A filter made of two.
   *
   * @param calls Writes the calls that make it from both.
   */
  composed(
    key: string,
    bytes: number,
    filters: readonly [Weight, Weight],
    factors: Float64Array,
    calls: (program: Program, places: ComposedPlaces) => void,
  ): Place {
    const [first, second] = filters;
    return this.packed(key, bytes, { filter: first, factors }, (program, places) =>
      calls(program, { ...places, second: masterOf(this.masters, second).at() }),
    );
  }

  /** A filter that was made of two, in the order of a product; its factors are in it already. */
  repacked(key: string, bytes: number, filter: Buffer, outputs: number, calls: PackCalls): Place {
    return this.made(key, bytes, { filter, factors: new Float64Array(outputs).fill(1), name: key }, calls);
  }

  /** What is packed of a filter that has its place, once. */
  private made(
    key: string,
    bytes: number,
    { filter, factors, name }: { readonly filter: Buffer; readonly factors: Float64Array; readonly name: string },
    calls: PackCalls,
  ): Place {
    const known = this.buffers.get(key);
    if (known !== undefined) return known.at();
    const weights = packedBuffer(bytes, 'weights');
    this.buffers.set(key, weights);
    pack(this.program, 'arena', { filter, factors, weights }, calls);
    this.program.endStep(name, 'pack');
    return weights.at();
  }

  /** What has been asked for since the last time, and the program that packs it. */
  takePacking(): Program {
    const { program } = this;
    this.program = new Program();
    return program;
  }

  /** Everything that the programs of all sizes share: packed filters and constants. */
  all(): readonly Buffer[] {
    return [...this.buffers.values()];
  }
}

/** Weights that a training step changes: packed again in each step, just before they are used. */
export class ChangingWeights implements Weights {
  private readonly buffers = new Map<string, Buffer>();

  constructor(
    private readonly program: Program,
    private readonly masters: ReadonlyMap<Weight, Buffer>,
  ) {}

  packed(key: string, bytes: number, { filter, factors }: Source, calls: PackCalls): Place {
    const known = this.buffers.get(key);
    if (known !== undefined) return known.at();
    const weights = packedBuffer(bytes, 'arena');
    this.buffers.set(key, weights);
    pack(this.program, 'table', { filter: masterOf(this.masters, filter), factors, weights }, calls);
    return weights.at();
  }
}
