/** What every part of a training step is lowered with: the graph, the program, weights and numbers in the plan's memory. */

import { Lowering, type Machine } from '../../../engine/lower/context.js';
import type { Finish } from '../../../engine/lower/filters.js';
import { Buffer, type Place, Program } from '../../../engine/program.js';
import type { MapShape, Precision, Weight } from '../../../engine/types.js';
import { ChangingWeights } from '../../../engine/weights.js';
import type { TrainingGraph, TrainingNode } from '../../graph/training.js';

/** Weights and their gradients in the memory of the plan. */
export interface TrainingBuffers {
  readonly masters: ReadonlyMap<Weight, Buffer>;
  readonly gradients: ReadonlyMap<Weight, Buffer>;
}

/** What a batch is computed with. */
export interface TrainingGeometry {
  readonly machine: Machine;
  readonly batch: number;
  readonly tile: 3 | 4;
}

/** No lower bound: a record's floor that changes nothing. */
export const FLOOR = Number.NEGATIVE_INFINITY;

/** A record [bias, floor1, scale, shift, floor2] for each channel. */
export function records(channels: number, floor1: number, floor2: number): Float32Array {
  return Float32Array.from({ length: 5 * channels }, (_, i) => [0, floor1, 1, 0, floor2][i % 5] ?? 0);
}

/** A training step while it is lowered. */
export class TrainingStep {
  readonly program = new Program();
  readonly lowering: Lowering;
  /** Buffers that keep their contents from step to step. */
  readonly lasting: Buffer[] = [];
  private readonly identities = new Map<number, Place>();

  constructor(
    readonly graph: TrainingGraph,
    private readonly buffers: TrainingBuffers,
    { machine, batch, tile }: TrainingGeometry,
    readonly precision: Precision,
  ) {
    const weights = new ChangingWeights(this.program, buffers.masters);
    this.lowering = new Lowering(this.program, weights, machine, tile, batch);
  }

  node(id: number): TrainingNode {
    const node = this.graph.nodes[id];
    if (node === undefined) throw new Error(`The graph has no node ${id}.`);
    return node;
  }

  /** The values of a weight. */
  master(variable: Weight): Place {
    const buffer = this.buffers.masters.get(variable);
    if (buffer === undefined) throw new Error(`The weight ${variable.name} has no place in the plan.`);
    return buffer.at();
  }

  /** Where the gradient of a weight is summed up; undefined for one that is not trained. */
  gradient(variable: Weight | null): Place | undefined {
    return variable === null ? undefined : this.buffers.gradients.get(variable)?.at();
  }

  /** Numbers that stay in the plan's memory for its whole life. */
  constant(content: Float32Array): Place {
    const buffer = new Buffer(content.byteLength, 'weights', content);
    this.lasting.push(buffer);
    return buffer.at();
  }

  /** A record that changes nothing. */
  identity(channels: number): Place {
    const known = this.identities.get(channels);
    if (known !== undefined) return known;
    const made = this.constant(records(channels, FLOOR, FLOOR));
    this.identities.set(channels, made);
    return made;
  }

  /** Sums as they are. */
  plain(owner: string, channels: number): Finish {
    return { owner, factors: new Float64Array(channels).fill(1), record: this.identity(channels) };
  }

  /** Sums with a bias and a ReLU. */
  finish(owner: string, bias: Weight | null, { channels }: MapShape, relu: boolean): Finish {
    if (bias === null && !relu) return this.plain(owner, channels);
    const record = this.constant(records(channels, relu ? 0 : FLOOR, FLOOR));
    if (bias !== null) this.program.call('biasRecord', { bias: this.master(bias), record, count: channels });
    return { owner, factors: new Float64Array(channels).fill(1), record };
  }
}
