/** What image a model takes. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';

/** The [height, width, channels] that a model takes; null where free. */
export function inputShapeOf(model: tfl.LayersModel): [number | null, number | null, number] {
  const [input, ...others] = model.inputs;
  const [, height = null, width = null, channels] = input?.shape ?? [];
  if (others.length > 0 || input?.shape.length !== 4 || channels === null || channels === undefined) {
    const shapes = model.inputs.map(({ shape }) => `[${shape.map((size) => size ?? 'null').join(', ')}]`).join(', ');
    throw new InvalidArgumentError(
      `Prediction takes a model with one image input [batch, height, width, channels]. Received: inputs ${shapes}.`,
    );
  }
  return [height, width, channels];
}
