/** The backward pass of a training step: from the gradients of the outputs to those of all weights. */

import type { Target } from '../../../engine/lower/context.js';
import { lowerMargins, lowerTransfer } from '../../../engine/lower/transfer.js';
import type { Buffer } from '../../../engine/program.js';
import type { TrainingNode } from '../../graph/training.js';
import { lowerEnlargeGradient, lowerPoolGradient, lowerProduct, lowerShiftGradient } from '../maps.js';
import { lowerConvGradient, lowerTransposedConvGradient } from './convolutions.js';
import type { Forward } from './forward.js';
import { MapGradients } from './gradients.js';
import { lowerNormGradient } from './norm.js';
import type { TrainingStep } from './step.js';

/** Lowers the nodes in reverse order. */
export class Backward {
  private readonly gradients: MapGradients;

  constructor(
    private readonly step: TrainingStep,
    private readonly forward: Forward,
  ) {
    this.gradients = new MapGradients(step);
  }

  /** All gradients, from images of the outputs' ones. */
  lower(outputGradients: readonly Buffer[]): void {
    const { step, gradients } = this;
    const { lowering, graph } = step;
    for (const [i, id] of graph.outputs.entries()) {
      const target = lowering.newMap(step.node(id).shape);
      const image = outputGradients[i];
      if (image === undefined) throw new Error('An output has no gradient.');
      lowerTransfer(lowering, 'toTiles', target, image.at());
      lowering.endStep('output', 'gradient input');
      gradients.give(id, target, { isOurs: graph.readers[id] === 1 });
    }
    for (const id of [...graph.nodes.keys()].reverse()) {
      const gradient = gradients.isNeeded(id) ? gradients.take(id) : undefined;
      if (gradient === undefined) continue;
      const node = step.node(id);
      this.forward.forget();
      // A normalisation makes its own.
      if (node.op.kind !== 'norm' && !gradients.hasMargins(gradient)) lowerMargins(lowering, gradient);
      this.lowerNode(id, node, gradient);
      lowering.endStep(node.name, `${node.op.kind} backward`);
    }
  }

  private lowerNode(id: number, node: TrainingNode, dy: Target): void {
    const { step, forward, gradients } = this;
    const { lowering, program } = step;
    const { name, op, relu } = node;
    const { tiles, channels, place } = dy;
    const whole = { gradient: place, gradientChannel: tiles.channelStride, length: tiles.places, count: channels };
    const [inputId] = node.inputs;
    if (relu && op.kind !== 'norm') {
      program.call('reluGradient', { ...whole, output: this.output(id), outputChannel: tiles.channelStride });
    }
    if (op.kind === 'conv' || op.kind === 'transposed') {
      const bias = step.gradient(op.bias);
      if (bias !== undefined) program.call('biasGradient', { ...whole, out: bias });
    }
    if (inputId === undefined) return;
    const input = forward.kept(inputId);
    switch (op.kind) {
      case 'conv':
        lowerConvGradient(step, gradients, { name, op, inputId, input }, dy);
        break;
      case 'transposed':
        lowerTransposedConvGradient(step, gradients, { name, op, inputId, input }, dy);
        break;
      case 'norm':
        lowerNormGradient(step, op, forward.norm(id), input, dy);
        gradients.give(inputId, dy, { isOurs: true });
        gradients.keepMargins(inputId, dy);
        break;
      case 'add':
        for (const [i, other] of node.inputs.entries())
          gradients.give(other, dy, { isOurs: i === node.inputs.length - 1 });
        break;
      case 'activation':
        program.call('sigmoidGradient', { ...whole, output: this.output(id), outputChannel: tiles.channelStride });
        // Around the output stands anything, such as no number.
        gradients.spoilMargins(dy);
        gradients.give(inputId, dy, { isOurs: true });
        break;
      case 'multiply':
        this.lowerProduct(node, dy);
        break;
      case 'dropout':
        lowerProduct(lowering, [dy, forward.mask(id)], dy, step.identity(channels));
        gradients.give(inputId, dy, { isOurs: true });
        break;
      case 'pool':
        gradients.throughTemporary(inputId, (target) => lowerPoolGradient(lowering, input, dy, op, target));
        break;
      case 'enlarge':
        gradients.throughTemporary(inputId, (target) => lowerEnlargeGradient(lowering, dy, op, target));
        break;
      case 'shift':
        gradients.throughTemporary(inputId, (target) => lowerShiftGradient(lowering, dy, op.shift, target));
        break;
      case 'concat':
        gradients.give(id, dy, { isOurs: true });
        break;
    }
  }

  private output(id: number) {
    const [output] = this.forward.kept(id).segments;
    if (output === undefined) throw new Error(`Layer ${this.step.node(id).name} has no map.`);
    return output.place;
  }

  private lowerProduct(node: TrainingNode, dy: Target): void {
    const { step, forward, gradients } = this;
    const { lowering, program } = step;
    const [a, b] = node.inputs;
    if (a === undefined || b === undefined) throw new Error('A product has two maps.');
    for (const [own, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!gradients.isNeeded(own)) continue;
      const view = forward.kept(own);
      const factor = forward.kept(other);
      const temporary = lowering.newMap(step.node(own).shape);
      if (view.channels === dy.channels) {
        lowerProduct(lowering, [dy, factor], temporary, step.identity(dy.channels));
      } else {
        let first = 0;
        for (const segment of factor.segments) {
          program.call('channelDot', {
            a: dy.place.plus(first * dy.tiles.channelStride),
            aChannel: dy.tiles.channelStride,
            b: segment.place,
            bChannel: dy.tiles.channelStride,
            out: temporary.place,
            length: dy.tiles.places,
            count: segment.channels,
            accumulate: first > 0 ? 1 : 0,
          });
          first += segment.channels;
        }
      }
      gradients.give(own, temporary, { isOurs: true });
    }
  }
}
