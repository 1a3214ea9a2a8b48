/** The rules of a batch normalisation's options: op and layer read them. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { show } from './options.js';

/** Activations that a batch normalisation computes together with itself. */
export type BatchNormActivation = 'linear' | 'relu';

/** Ranks of the tensors that can be normalised. */
export const BATCH_NORM_RANKS: readonly number[] = [2, 3, 4];

/**
 * Checks what the op and the layer share.
 *
 * @throws InvalidArgumentError naming the option, what was received and what is legal.
 */
export function checkBatchNorm(
  title: string,
  options: { readonly epsilon: unknown; readonly activation: unknown },
): void {
  const { epsilon, activation } = options;
  if (activation !== 'linear' && activation !== 'relu') {
    throw new InvalidArgumentError(
      `activation of ${title} must be 'linear' or 'relu'. Received: activation=${show(activation)}. Use an activation of its own behind it.`,
    );
  }
  if (typeof epsilon !== 'number' || !Number.isFinite(epsilon) || epsilon <= 0) {
    throw new InvalidArgumentError(`epsilon of ${title} must be a number > 0. Received: epsilon=${show(epsilon)}.`);
  }
}

/**
 * Refuses a map of one value per channel, whose variance says nothing.
 *
 * @param shape Channels last.
 * @throws InvalidArgumentError.
 */
export function requireSeveralValues(shape: readonly number[]): void {
  if (shape.slice(0, -1).some((size) => size !== 1)) return;
  throw new InvalidArgumentError(
    `Batch statistics need more than one value per channel. Received: shape [${shape.join(', ')}]. Use a larger image or batch.`,
  );
}
