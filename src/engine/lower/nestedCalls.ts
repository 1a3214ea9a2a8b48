/** The calls of a pass: transform, products, inverse; whoever makes them shares them out. */
import { EPILOGUE_BYTES } from '../epilogue.js';
import type { Place } from '../program.js';
import { roundUp } from '../tiles.js';
import type { Lowering, View } from './context.js';
import type { Destination } from './filters.js';
import type { PreparedLevel } from './nestedFilters.js';
import { type Pass, type Scratch, transformChunk } from './nestedPass.js';

/** Rows of tiles of one image. */
export interface Band {
  /** Bytes from the start of a plane to the first tile. */
  readonly start: number;
  /** Tiles, those between the rows included. */
  readonly length: number;
}

/** Outputs of a group that are computed together: `from` to `to` of a block whose filters are packed as one. */
export interface Unit {
  readonly group: number;
  /** First output of the block. */
  readonly block: number;
  /** Even. */
  readonly from: number;
  readonly to: number;
}

/** Outputs for which a block has room for sums. */
export const outputsOf = ({ asRows, block }: PreparedLevel): number => (asRows ? 1 : roundUp(block, 2));

/** Makes the calls of one pass over one input. */
export class PassCalls {
  constructor(
    private readonly lowering: Lowering,
    private readonly input: View,
    private readonly setup: {
      readonly pass: Pass;
      readonly scratch: Scratch;
      /** Epilogue records of the target's channels. */
      readonly record: Place;
      readonly destination: Destination;
    },
  ) {}

  /** Memory for the sums of so many outputs. */
  sumsOf(outputs: number): Place {
    return this.lowering.scratch(outputs * this.setup.scratch.sumOutput + 512);
  }

  band(sample: number, firstRow: number, rows: number): Band {
    const { first, sampleStride, pitch } = this.input.tiles;
    return { start: first + sample * sampleStride + 4 * firstRow * pitch, length: rows * pitch };
  }

  /** Transforms so many channels from `first` on; their components go to `components`. */
  transform({ start, length }: Band, first: number, count: number, components: Place): void {
    const { pass, scratch } = this.setup;
    const { above, below, levels } = pass;
    const { pitch } = this.input.tiles;
    const reach = above + below;
    transformChunk(
      this.lowering,
      this.input,
      { points: pass.points, chunk: count },
      { ...scratch, components },
      {
        kind: levels[0]?.sections.kind ?? 0,
        start: start - 4 * above * (pitch + 1),
        length: roundUp(length + reach * pitch + reach, 4),
        c0: first,
      },
    );
  }

  /** Sums of products of a part of a group's inputs, whose components begin at `components`. */
  products(
    { length }: Band,
    level: PreparedLevel,
    { group, block, from, to }: Unit,
    { firstInput, components, sums }: { firstInput: number; components: Place; sums: Place },
  ): void {
    const { lowering } = this;
    const { pass, scratch } = this.setup;
    const { pitch } = this.input.tiles;
    const { sections, lists, asRows } = level;
    const common = {
      components: components.plus(4 * (pass.above - sections.before) * (pitch + 1)),
      componentStride: scratch.componentStride,
      plan: lists.planFrom(from),
      weights: level.weightsOf(group, firstInput, block),
      sums,
      sumComponent: scratch.sumComponent,
      count: pass.points ** 2,
      length,
    };
    if (asRows) lowering.program.call('nestedRows', { ...common, pitch });
    else {
      lowering.program.call('nested', {
        ...common,
        sumOutput: scratch.sumOutput,
        outputs: to - from,
        summed: lists.summedBytes,
        accumulate: firstInput > 0 ? 1 : 0,
      });
    }
    lowering.count(lists.products * (to - from) * length);
  }

  /** Turns the sums of all inputs into pixels. */
  inverse({ start, length }: Band, level: PreparedLevel, { group, block, from, to }: Unit, sums: Place): void {
    const { pass, scratch, record, destination } = this.setup;
    const { channelStride, planeStride } = this.input.tiles;
    const first = level.start + group * level.outputs + block + from;
    this.lowering.program.call(pass.points === 5 ? 'inverse3' : 'inverse4', {
      sums,
      sumOutput: scratch.sumOutput,
      sumComponent: scratch.sumComponent,
      out: destination.place.plus(first * channelStride + start),
      outChannel: channelStride,
      planeStride,
      length,
      count: to - from,
      epilogue: record.plus(first * EPILOGUE_BYTES),
      accumulate: destination.accumulate ? 1 : 0,
    });
  }
}
