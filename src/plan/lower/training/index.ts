/** A training step as one program: forward, backward, gradients of all weights. */

import { Buffer, type Program } from '../../../engine/program.js';
import type { MapShape, Precision } from '../../../engine/types.js';
import { UnplannableError } from '../../graph/readModel.js';
import type { TrainingGraph } from '../../graph/training.js';
import { Backward } from './backward.js';
import { Forward, type Keeps, type Mask } from './forward.js';
import { type TrainingBuffers, type TrainingGeometry, TrainingStep } from './step.js';

export type { Keeps, Mask } from './forward.js';
export type { TrainingBuffers } from './step.js';

/** The program of a step. */
export interface LoweredTraining {
  readonly program: Program;
  /** Steps of the program that compute the outputs; the others need the outputs' gradients. */
  readonly forwardSteps: number;
  /** Images [batch, height, width, channels]. */
  readonly input: Buffer;
  readonly outputs: readonly OutputBuffers[];
  /** Filled before the forward pass. */
  readonly masks: readonly Mask[];
  /** Buffers that keep their contents from step to step. */
  readonly lasting: readonly Buffer[];
}

/** An output of the model and the gradient of the loss by it, [batch, height, width, channels]. */
export interface OutputBuffers {
  readonly value: Buffer;
  readonly gradient: Buffer;
  readonly shape: MapShape;
}

/** Lowers a training step for batches of one size; the gradients of weights are added to what stands there. */
export function lowerTraining(
  graph: TrainingGraph,
  buffers: TrainingBuffers,
  geometry: TrainingGeometry,
  { precision, keeps }: { precision: Precision; keeps: Keeps },
): LoweredTraining {
  const step = new TrainingStep(graph, buffers, geometry, precision);
  const { program } = step;
  const imageOf = ({ height, width, channels }: MapShape) =>
    new Buffer(4 * geometry.batch * height * width * channels, 'arena');
  const inputNode = graph.nodes.find(({ op }) => op.kind === 'input');
  if (inputNode === undefined) throw new UnplannableError('the model has no input');
  const input = imageOf(inputNode.shape);
  const forward = new Forward(step, keeps);
  forward.lower(input.at());
  const outputs = graph.outputs.map((id): OutputBuffers => {
    const { shape } = step.node(id);
    const value = imageOf(shape);
    forward.writeOutput(id, value);
    return { value, gradient: imageOf(shape), shape };
  });
  const forwardSteps = program.steps.length;
  new Backward(step, forward).lower(outputs.map(({ gradient }) => gradient));
  return { program, forwardSteps, input, outputs, masks: forward.masks, lasting: step.lasting };
}
