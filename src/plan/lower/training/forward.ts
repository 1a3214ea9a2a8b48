/** The forward pass of a training step, and the maps that it keeps for the backward one. */

import type { Target, View } from '../../../engine/lower/context.js';
import { lowerConv, lowerTransposedConv } from '../../../engine/lower/convolution.js';
import { lowerMargins, lowerTransfer } from '../../../engine/lower/transfer.js';
import type { Buffer, Place } from '../../../engine/program.js';
import { UnplannableError } from '../../graph/readModel.js';
import type { TrainingNode } from '../../graph/training.js';
import type { NormOp } from '../../graph/types.js';
import { lowerActivation, lowerAffine, lowerMove, lowerProduct, lowerSum } from '../maps.js';
import { nodesWithMargins } from '../margins.js';
import { lowerNorm, lowerNormAgain, type NormState } from './norm.js';
import { FLOOR, records, type TrainingStep } from './step.js';

/** What the forward pass keeps for the backward one: all maps, or what is summed up alone (normalised maps are computed again). */
export type Keeps = 'maps' | 'sums';

/** A map that a layer of dropout fills for each batch: 0 where a value is dropped, else what it is multiplied by. */
export interface Mask {
  /** Name of the layer. */
  readonly layer: string;
  readonly map: Target;
}

/** Lowers the nodes in their order. */
export class Forward {
  /** In the order in which the layers draw them. */
  readonly masks: Mask[] = [];
  private readonly views: View[] = [];
  private readonly norms = new Map<number, NormState>();
  private readonly maskOf = new Map<number, Target>();
  /** Nodes whose maps need zeros around them. */
  private readonly withMargins: ReadonlySet<number>;
  /** Maps computed again for the node whose gradients are under way. */
  private readonly fresh = new Map<number, View>();

  constructor(
    private readonly step: TrainingStep,
    private readonly keeps: Keeps,
  ) {
    this.withMargins = nodesWithMargins(step.lowering, step.graph.nodes, step.precision);
  }

  /** All maps of a batch of images. */
  lower(image: Place): void {
    const { graph, lowering } = this.step;
    for (const [id, node] of graph.nodes.entries()) {
      if ((graph.readers[id] ?? 0) === 0) {
        this.views.push({ tiles: lowering.tilesOf(node.shape), channels: 0, segments: [] });
        continue;
      }
      this.views.push(this.lowerNode(id, node, image));
    }
  }

  /** Writes an output as an image. */
  writeOutput(id: number, image: Buffer): void {
    const { lowering } = this.step;
    const view = this.view(id);
    const [segment, ...others] = view.segments;
    if (segment === undefined || others.length > 0) throw new UnplannableError('an output is a concatenation');
    lowerTransfer(lowering, 'fromTiles', { ...view, place: segment.place }, image.at());
    lowering.endStep('output', 'output');
  }

  /** What a normalisation has kept. */
  norm(id: number): NormState {
    const state = this.norms.get(id);
    if (state === undefined) throw new Error('A normalisation has no statistics.');
    return state;
  }

  /** What a dropout has multiplied by. */
  mask(id: number): Target {
    const map = this.maskOf.get(id);
    if (map === undefined) throw new Error('A dropout has no mask.');
    return map;
  }

  /** The map of a node while the backward pass is at work on one node. */
  kept(id: number): View {
    return this.keeps === 'sums' ? this.computedAgain(id) : this.view(id);
  }

  /** The next node of the backward pass: maps computed again live for one. */
  forget(): void {
    this.fresh.clear();
  }

  private view(id: number): View {
    const view = this.views[id];
    if (view === undefined) throw new Error(`Node ${id} has no map.`);
    return view;
  }

  private lowerNode(id: number, node: TrainingNode, image: Place): View {
    const { step } = this;
    const { lowering, precision } = step;
    const { name, op, relu, shape } = node;
    const inputs = node.inputs.map((input) => this.view(input));
    const [input] = inputs;
    if (op.kind === 'concat') {
      const [first] = inputs;
      if (first === undefined) throw new Error(`Layer ${name} has no input.`);
      return { tiles: first.tiles, channels: shape.channels, segments: inputs.flatMap(({ segments }) => segments) };
    }
    const target = lowering.newMap(shape);
    const to = target.tiles;
    const destination = { place: target.place, accumulate: false };
    if (op.kind === 'input') lowerTransfer(lowering, 'toTiles', target, image);
    else {
      if (input === undefined) throw new Error(`Layer ${name} has no input.`);
      switch (op.kind) {
        case 'conv':
          lowerConv(lowering, input, { op, to, precision }, step.finish(name, op.bias, shape, relu), destination);
          break;
        case 'transposed':
          lowerTransposedConv(
            lowering,
            input,
            { op, to, outputs: shape.channels, precision },
            step.finish(name, op.bias, shape, relu),
            destination,
          );
          break;
        case 'norm':
          this.lowerNorm(id, node, op, { input, target });
          return target;
        case 'add': {
          const last = relu ? step.constant(records(shape.channels, 0, FLOOR)) : step.identity(shape.channels);
          if (inputs.length === 1) lowerAffine(lowering, input, target, last);
          else lowerSum(lowering, inputs, target, { last, none: step.identity(shape.channels) });
          break;
        }
        case 'multiply':
          lowerProduct(lowering, inputs, target, step.identity(shape.channels));
          break;
        case 'dropout': {
          const map = lowering.newMap(shape);
          this.masks.push({ layer: op.layer, map });
          this.maskOf.set(id, map);
          // Whatever stood there would be multiplied, too.
          lowerMargins(lowering, map);
          lowerProduct(lowering, [input, map], target, step.identity(shape.channels));
          break;
        }
        case 'activation':
          if (op.activation !== 'sigmoid')
            throw new UnplannableError(`layer '${name}' has the activation ${op.activation}`);
          lowerActivation(lowering, input, target, 'sigmoid');
          break;
        case 'pool':
        case 'enlarge':
        case 'shift':
          lowerMove(lowering, input, target, op);
          break;
      }
    }
    if (this.withMargins.has(id)) lowerMargins(lowering, target);
    lowering.endStep(name, `${op.kind} forward`);
    return target;
  }

  private lowerNorm(id: number, node: TrainingNode, op: NormOp, maps: { input: View; target: Target }): void {
    const { step, withMargins } = this;
    const margins = { ofInput: node.inputs.some((input) => !withMargins.has(input)), ofOutput: withMargins.has(id) };
    this.norms.set(id, lowerNorm(step, node, op, { ...maps, margins }));
    step.lowering.endStep(node.name, 'norm forward');
  }

  /** A map in the backward pass: normalised ones are computed from what they normalise. */
  private computedAgain(id: number): View {
    const known = this.fresh.get(id);
    if (known !== undefined) return known;
    const { op, inputs, shape } = this.step.node(id);
    const [input] = inputs;
    const stored = this.view(id);
    if (op.kind === 'concat') {
      const segments = inputs.flatMap((part) => this.computedAgain(part).segments);
      return { tiles: stored.tiles, channels: shape.channels, segments };
    }
    const norm = this.norms.get(id);
    if (norm === undefined || input === undefined) return stored;
    const target = this.step.lowering.newMap(shape);
    lowerNormAgain(this.step, norm, { input: this.computedAgain(input), target, margins: this.withMargins.has(id) });
    this.fresh.set(id, target);
    return target;
  }
}
