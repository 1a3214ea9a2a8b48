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

/** Writes the calls that pack a filter. */
export type PackCalls = (program: Program, places: PackPlaces) => void;

/** Vectors of factors are read four at a time. */
const padded = (values: Float64Array): Float32Array => {
  const result = new Float32Array(roundUp(values.length, 4));
  result.set(values);
  return result;
};

/** Where a lowering gets its filters. */
export interface Weights {
  /**
   * A filter in another order.
   *
   * @param key Everything that the order depends on.
   * @param factors One an output, multiplied into the filter.
   */
  packed(
    key: string,
    bytes: number,
    source: { readonly filter: Weight; readonly factors: Float64Array },
    calls: PackCalls,
  ): Place;
}

/** Weights that do not change: packed once, and shared by the programs of several sizes. */
export class FixedWeights implements Weights {
  private readonly buffers = new Map<string, Buffer>();
  private program = new Program();

  constructor(private readonly read: Read) {}

  /** A weight that needs no packing. */
  constant(key: string, content: () => Float32Array): Place {
    const known = this.buffers.get(key);
    if (known !== undefined) return known.at();
    const values = content();
    const buffer = new Buffer(values.byteLength, 'weights', values);
    this.buffers.set(key, buffer);
    return buffer.at();
  }

  packed(
    key: string,
    bytes: number,
    { filter, factors }: { readonly filter: Weight; readonly factors: Float64Array },
    calls: PackCalls,
  ): Place {
    const known = this.buffers.get(key);
    if (known !== undefined) return known.at();
    // Register tiles read whole vectors beyond the end.
    const buffer = new Buffer(bytes + 64, 'weights');
    this.buffers.set(key, buffer);
    const values = this.read(filter);
    const scale = padded(factors);
    const raw = new Buffer(values.byteLength + 256, 'arena', values);
    calls(this.program, {
      filter: raw.at(),
      scale: new Buffer(scale.byteLength, 'arena', scale).at(),
      weights: buffer.at(),
      table: (content) => new Buffer(content.byteLength, 'arena', content).at(),
    });
    this.program.endStep(filter.name, 'pack');
    return buffer.at();
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
    calls: (program: Program, places: PackPlaces & { readonly second: Place }) => void,
  ): Place {
    const [first, second] = filters;
    const values = this.read(second);
    const raw = new Buffer(values.byteLength + 256, 'arena', values);
    return this.packed(key, bytes, { filter: first, factors }, (program, places) =>
      calls(program, { ...places, second: raw.at() }),
    );
  }

  /** The values of a weight. */
  valuesOf(variable: Weight): Float32Array {
    return this.read(variable);
  }

  /** What has been asked for since the last time, and the program that packs it. */
  takePacking(): Program {
    const { program } = this;
    this.program = new Program();
    return program;
  }

  /** Every weight, packed or not. */
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

  packed(
    key: string,
    bytes: number,
    { filter, factors }: { readonly filter: Weight; readonly factors: Float64Array },
    calls: PackCalls,
  ): Place {
    const known = this.buffers.get(key);
    if (known !== undefined) return known.at();
    const buffer = new Buffer(bytes + 64, 'arena');
    this.buffers.set(key, buffer);
    const master = this.masters.get(filter);
    if (master === undefined) throw new Error(`The weight ${filter.name} has no place in the plan.`);
    const scale = padded(factors);
    calls(this.program, {
      filter: master.at(),
      scale: new Buffer(scale.byteLength, 'table', scale).at(),
      weights: buffer.at(),
      table: (content) => new Buffer(content.byteLength, 'table', content).at(),
    });
    return buffer.at();
  }
}
