/** The gradients of maps while they are summed up, and who gives to whom. */

import { segmentsOf, type Target, type View } from '../../../engine/lower/context.js';
import type { TrainingNode } from '../../graph/training.js';
import { lowerAffine, lowerSum } from '../maps.js';
import type { TrainingStep } from './step.js';

/** A node that made some of the channels of a map. */
interface Part {
  readonly id: number;
  readonly start: number;
  readonly channels: number;
}

/** Gradients by node. */
export class MapGradients {
  private readonly maps = new Map<number, Target>();
  private readonly written = new Set<number>();
  /** Gradients with zeros around them. */
  private readonly withMargins = new Set<Target>();
  /** Nodes that a gradient has to reach. */
  private readonly needed = new Set<number>();

  constructor(private readonly step: TrainingStep) {
    for (const [id, node] of step.graph.nodes.entries()) {
      const isTrained = weightsOf(node.op).some((weight) => step.gradient(weight) !== undefined);
      if (isTrained || node.inputs.some((input) => this.needed.has(input))) this.needed.add(id);
    }
  }

  isNeeded(id: number): boolean {
    return this.needed.has(id);
  }

  /** The finished gradient of a node, or undefined where none has reached it. It is no longer kept. */
  take(id: number): Target | undefined {
    const gradient = this.maps.get(id);
    this.maps.delete(id);
    return gradient;
  }

  /** Whether a gradient has zeros around it. */
  hasMargins(gradient: Target): boolean {
    return this.withMargins.has(gradient);
  }

  /** Says that the zeros around a gradient that was given to a node are there; whoever adds to it spoils them. */
  keepMargins(id: number, gradient: Target): void {
    if (this.maps.get(id) === gradient) this.withMargins.add(gradient);
  }

  /** The nodes that make the channels of a map: more than one where it was concatenated. */
  partsOf(id: number): Part[] {
    const found: Part[] = [];
    const visit = (node: number, start: number): void => {
      const { op, inputs, shape } = this.step.node(node);
      if (op.kind !== 'concat') {
        if (this.needed.has(node)) found.push({ id: node, start, channels: shape.channels });
        return;
      }
      let at = start;
      for (const input of inputs) {
        visit(input, at);
        at += this.step.node(input).shape.channels;
      }
    };
    visit(id, 0);
    return found;
  }

  /** Says that the zeros around a gradient may be gone. */
  spoilMargins(gradient: Target): void {
    this.withMargins.delete(gradient);
  }

  /** Lets `write` compute a gradient in the place of a node's own; `accumulate`: it adds to what stands there. */
  write(id: number, write: (target: Target, accumulate: boolean) => void): void {
    const target = this.of(id);
    this.spoilMargins(target);
    write(target, this.written.has(id));
    this.written.add(id);
  }

  /** Adds a gradient to that of a node. `isOurs`: nobody else needs the map, it may become the node's. */
  give(id: number, gradient: Target, { isOurs }: { isOurs: boolean }): void {
    const { lowering } = this.step;
    for (const part of this.partsOf(id)) {
      const isAll = part.channels === gradient.channels;
      if (isAll && isOurs && !this.maps.has(part.id)) {
        this.maps.set(part.id, gradient);
        this.written.add(part.id);
        continue;
      }
      const slice: View = {
        tiles: gradient.tiles,
        channels: part.channels,
        segments: segmentsOf(gradient, part.start, part.start + part.channels),
      };
      const identity = this.step.identity(part.channels);
      this.write(part.id, (target, accumulate) => {
        if (accumulate) lowerSum(lowering, [target, slice], target, { last: identity, none: identity });
        else lowerAffine(lowering, slice, target, identity);
      });
    }
  }

  /** Computes a gradient into a map of its own and adds it. */
  throughTemporary(id: number, write: (target: Target) => void): void {
    if (this.partsOf(id).length === 0) return;
    const target = this.step.lowering.newMap(this.step.node(id).shape);
    write(target);
    this.give(id, target, { isOurs: true });
  }

  private of(id: number): Target {
    const known = this.maps.get(id);
    if (known !== undefined) return known;
    const made = this.step.lowering.newMap(this.step.node(id).shape);
    this.maps.set(id, made);
    return made;
  }
}

function weightsOf(op: TrainingNode['op']) {
  switch (op.kind) {
    case 'conv':
      return [...op.levels.map(({ filter }) => filter), op.bias];
    case 'transposed':
      return [op.filter, op.bias];
    case 'norm':
      return [op.gamma, op.beta];
    default:
      return [];
  }
}
