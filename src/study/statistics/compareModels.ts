/** Several models on the same cases: every pair compared, the p-values adjusted for their number. */
import { DisplayKind } from '../../runtime/display.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import {
  type ComparedCase,
  type CompareOptions,
  comparePaired,
  type PairedComparison,
  unitsOfCases,
  wholeSetDice,
} from './comparePaired.js';
import { holm } from './holm.js';

/** A model with its cases. */
export interface ComparedModel {
  /** Name of the model, such as 'pyconvunet'. */
  readonly name: string;
  /** Its cases; every model has the same, in the same order. */
  readonly cases: readonly ComparedCase[];
}

/** The comparison of one pair of models. */
export interface PairOfModels extends PairedComparison {
  /** Name of the model that stands first in the list. */
  readonly a: string;
  /** Name of the other. */
  readonly b: string;
  /** p adjusted by Holm's method over all pairs that have one; null without a p. */
  readonly holmP: number | null;
}

/** All models with their Dice, all pairs with their comparison. */
export interface ModelComparison {
  /** Dice over the whole set, as the mean over seeds, in the order of the models; null where undefined. */
  readonly models: readonly { readonly name: string; readonly dice: number | null }[];
  /** Every pair once: first with second, first with third, and so on. */
  readonly pairs: readonly PairOfModels[];
}

/** A comparison of models in a Jupyter cell. */
export const modelComparisonDisplay = new DisplayKind<ModelComparison>(({ models }) =>
  models.map(({ name, dice }) => `${name}: Dice ${dice?.toFixed(4) ?? 'undefined'}`).join('\n'),
);

/**
 * Compares every pair of models, see {@link comparePaired}, and adjusts the p-values by Holm's method over all pairs.
 * Every pair draws the same units, since the seed is the same.
 *
 * @param models At least one model; names differ.
 * @param options `level` (default 0.95), `resamples` (default 2000), `seed` (default 0), `emptyPolicy` (default 'one').
 * @returns The Dice of each model and the comparison of each pair.
 * @throws InvalidArgumentError if there is no model, a name is there twice, the cases do not fit, or an option is illegal.
 * @example
 * ```ts
 * import { study } from 'pyconvunet/training';
 *
 * const cases = (tp: number) => ['x', 'y', 'z'].map((name, i) => ({ name, counts: [{ tp: tp + i, fp: 9, fn: 9 }] }));
 * const models = [
 *   { name: 'pyconvunet', cases: cases(90) },
 *   { name: 'unet', cases: cases(80) },
 * ];
 * const [pair] = study.compareModels(models).pairs;
 * console.log(pair.a, pair.b, pair.holmP); // pyconvunet unet 0.25
 * ```
 */
export function compareModels(models: readonly ComparedModel[], options: CompareOptions = {}): ModelComparison {
  const names = models.map(({ name }) => name);
  if (names.length === 0) {
    throw new InvalidArgumentError('study.compareModels needs at least one model. Received: none.');
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new InvalidArgumentError(
      `study.compareModels: every model needs a name of its own. Received: '${twice}' twice. Put all seeds of a model into its cases.`,
    );
  }
  const pairs = models.flatMap((a, index) =>
    models.slice(index + 1).map((b) => ({ a: a.name, b: b.name, ...comparePaired(a.cases, b.cases, options) })),
  );
  const adjusted = holm(pairs.map(({ p }) => p));
  return modelComparisonDisplay.attach({
    models: models.map(({ name, cases }) => ({
      name,
      dice: wholeSetDice(unitsOfCases(name, cases), options.emptyPolicy ?? 'one'),
    })),
    pairs: pairs.map((pair, index) => ({ ...pair, holmP: adjusted[index] })),
  });
}
