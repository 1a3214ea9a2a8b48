/** Which model may be called the best. */
import type { ModelComparison, PairOfModels } from './compareModels.js';

/** The best model, or why none may be called so. */
export interface BestModel {
  /** Name of the model; null with a `reason`. */
  readonly name: string | null;
  /** Why no model is marked. */
  readonly reason?: string;
}

/** Chance of a false claim among all pairs. */
const ALPHA = 0.05;

/** A number as tables have it, without the sign of a zero. */
const text = (value: number) => Number(value.toFixed(3)).toFixed(3);
const pText = (p: number) => (p < 0.001 ? 'Holm p < 0.001' : `Holm p ${p.toPrecision(2)}`);

/** A pair as the leading model sees it. */
interface Lead {
  readonly other: string;
  readonly isSeparated: boolean;
  /** What was found, in brackets behind the other's name. */
  readonly finding: string;
}

function leadOf(top: string, pair: PairOfModels): Lead {
  const isFirst = pair.a === top;
  const other = isFirst ? pair.b : pair.a;
  const sign = isFirst ? 1 : -1;
  const ends = pair.interval?.map((end) => sign * end).sort((x, y) => x - y) ?? null;
  const favoursTop = pair.ranksFavour === (isFirst ? 'a' : 'b');
  const isSeparated = ends !== null && ends[0] > 0 && pair.holmP !== null && pair.holmP < ALPHA && favoursTop;
  const difference = pair.difference === null ? 'no difference' : `difference ${text(sign * pair.difference)}`;
  const interval = ends === null ? '' : ` [${ends.map(text).join(', ')}]`;
  const p = pair.holmP === null ? '' : `, ${pText(pair.holmP)}`;
  const ranks = pair.ranksFavour === null || favoursTop ? '' : `, most signed ranks favour ${other}`;
  const reason = pair.reason === undefined ? '' : `; ${pair.reason}`;
  return { other, isSeparated, finding: `${difference}${interval}${p}${ranks}${reason}` };
}

/**
 * The model that a table may mark: the one with the highest Dice over the whole set, if against every other model the
 * Holm-adjusted p is below 0.05, the interval of the difference lies above 0, and the signed ranks favour it too (a test
 * that rejects in the other's favour is no support).
 *
 * @param comparison What {@link compareModels} found.
 * @returns The model's name, or null with a sentence that says from which models it is not separated.
 * @example
 * ```ts
 * import { study } from 'pyconvunet/training';
 *
 * const cases = (tp: number) => ['x', 'y', 'z'].map((name, i) => ({ name, counts: [{ tp: tp + i, fp: 9, fn: 9 }] }));
 * const models = [
 *   { name: 'pyconvunet', cases: cases(90) },
 *   { name: 'unet', cases: cases(80) },
 * ];
 * const best = study.bestOf(study.compareModels(models));
 * console.log(best.name); // null
 * console.log(best.reason); // pyconvunet is not separated from unet (difference 0.010 [0.010, 0.010], Holm p 0.25)
 * ```
 */
export function bestOf(comparison: ModelComparison): BestModel {
  const { models, pairs } = comparison;
  if (models.length < 2) return { name: null, reason: `${models[0]?.name ?? 'no model'} has no other model beside it` };
  let top: { name: string; dice: number } | null = null;
  for (const { name, dice } of models) {
    if (dice !== null && (top === null || dice > top.dice)) top = { name, dice };
  }
  if (top === null) return { name: null, reason: 'no model has a Dice over the whole set' };
  const { name } = top;
  const close = pairs
    .filter(({ a, b }) => a === name || b === name)
    .map((pair) => leadOf(name, pair))
    .filter(({ isSeparated }) => !isSeparated);
  if (close.length === 0) return { name };
  const list = close.map(({ other, finding }) => `${other} (${finding})`).join(', ');
  return { name: null, reason: `${name} is not separated from ${list}` };
}
