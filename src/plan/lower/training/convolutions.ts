/** The gradients of convolutions: of their filters, and of their inputs. */

import type { Target, View } from '../../../engine/lower/context.js';
import { lowerFilterGradients, lowerInputGradient } from '../../../engine/lower/convolutionGradients.js';
import { lowerDirect } from '../../../engine/lower/direct.js';
import {
  backwardConnection,
  type Connection,
  type Destination,
  outputRange,
  transposedAccess,
} from '../../../engine/lower/filters.js';
import { lowerTransposedGradient } from '../../../engine/lower/gradients.js';
import { transposedStencil } from '../../../engine/lower/transposed.js';
import type { Tiles } from '../../../engine/tiles.js';
import type { ConvLevel, ConvOp, TransposedOp } from '../../../engine/types.js';
import type { MapGradients } from './gradients.js';
import type { TrainingStep } from './step.js';

/** A convolution of the graph, as its gradients are lowered. */
interface Convolved<T> {
  readonly name: string;
  readonly op: T;
  /** The node that it reads, and its map. */
  readonly inputId: number;
  readonly input: View;
}

/** The gradients of a convolution's filters and of its input. */
export function lowerConvGradient(
  step: TrainingStep,
  gradients: MapGradients,
  convolved: Convolved<ConvOp>,
  dy: Target,
): void {
  const { op, input } = convolved;
  lowerFilterGradients(step.lowering, input, dy, { op, precision: step.precision }, (filter) => step.gradient(filter));
  step.lowering.endStep(convolved.name, 'filter gradient');
  inputGradient(step, gradients, convolved, dy);
}

function inputGradient(
  step: TrainingStep,
  gradients: MapGradients,
  { name, op, inputId, input: { channels } }: Convolved<ConvOp>,
  dy: Target,
): void {
  const isWhole = op.levels.every(({ groups }) => groups === 1);
  const parts = gradients.partsOf(inputId);
  if (parts.length === 0) return;
  if (!isWhole && (parts.length > 1 || parts[0]?.channels !== channels)) {
    gradients.throughTemporary(inputId, ({ tiles, place }) => {
      for (const [i, level] of op.levels.entries()) {
        const connection = backwardConnection(level, channels);
        levelInputGradient(step, name, { op, level, connection }, dy, tiles, { place, accumulate: i > 0 });
      }
    });
    return;
  }
  for (const part of parts) {
    gradients.write(part.id, ({ tiles, place }, accumulate) => {
      for (const [i, level] of op.levels.entries()) {
        const whole = backwardConnection(level, channels);
        const connection = isWhole ? outputRange(whole, part.start, part.start + part.channels) : whole;
        const destination = { place, accumulate: i > 0 || accumulate };
        levelInputGradient(step, name, { op, level, connection }, dy, tiles, destination);
      }
    });
  }
}

function levelInputGradient(
  step: TrainingStep,
  name: string,
  { op, level, connection }: { op: ConvOp; level: ConvLevel; connection: Connection },
  dy: Target,
  to: Tiles,
  destination: Destination,
): void {
  const { lowering, precision } = step;
  const finish = step.plain(`${name} backward`, connection.outputs * connection.groups);
  lowerInputGradient(lowering, dy, { op, level, connection, to, precision }, finish, destination);
}

/** The gradients of a transposed convolution's filter and of its input. */
export function lowerTransposedConvGradient(
  step: TrainingStep,
  gradients: MapGradients,
  { name, op, inputId, input }: Convolved<TransposedOp>,
  dy: Target,
): void {
  const { lowering } = step;
  const access = transposedAccess(op, input.channels, dy.channels);
  const stencil = transposedStencil(op);
  const gradient = step.gradient(op.filter);
  if (gradient !== undefined) {
    lowerTransposedGradient(lowering, input, dy, { access, stencil }, gradient);
    lowering.endStep(name, 'filter gradient');
  }
  for (const part of gradients.partsOf(inputId)) {
    gradients.write(part.id, ({ tiles, place }, accumulate) => {
      const connection: Connection = outputRange(
        {
          access: { ...access, key: 'backward', input: access.output, output: access.input },
          kernelSize: op.kernelSize,
          groups: 1,
          inputs: dy.channels,
          outputs: input.channels,
          start: 0,
        },
        part.start,
        part.start + part.channels,
      );
      const finish = step.plain(`${name} backward`, part.channels);
      lowerDirect(lowering, dy, { connection, stencil, to: tiles }, finish, { place, accumulate });
    });
  }
}
