/** The losses by the names that the command line and run folders use. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { bceDice } from './bceDice.js';
import { crossentropy } from './crossentropy.js';
import { dice } from './dice.js';
import { focal } from './focal.js';
import { generalizedDice } from './generalizedDice.js';
import { lovasz } from './lovasz.js';
import { tversky } from './tversky.js';
import type { Loss, LossOptions } from './types.js';

/** The names, in the order in which help texts list them. */
export const names = ['bce', 'dice', 'bce-dice', 'focal', 'tversky', 'lovasz', 'generalized-dice'] as const;

/** A loss's name on the command line. */
export type LossName = (typeof names)[number];

const factories: Readonly<Record<LossName, (options: LossOptions) => Loss>> = {
  bce: crossentropy,
  dice,
  'bce-dice': bceDice,
  focal,
  tversky,
  lovasz,
  'generalized-dice': generalizedDice,
};

/**
 * Makes a loss by name with its defaults; 'bce' is binary for one channel and categorical for more.
 *
 * @param name One of `names`.
 * @param options `fromLogits` (default false), `numClasses`.
 * @returns The loss.
 * @throws InvalidArgumentError if there is no loss of that name.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { losses, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], head: 'logits', seed: 1 });
 * model.compile({ optimizer: 'adam', loss: losses.create('bce-dice', { fromLogits: true, numClasses: 1 }) });
 * ```
 */
export function create(name: string, options: LossOptions = {}): Loss {
  const known = names.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new InvalidArgumentError(`There is no loss named '${name}'. Choose one of: ${names.join(', ')}.`);
  }
  return factories[known](options);
}
