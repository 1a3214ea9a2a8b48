/** Two models on the same cases: the difference of their Dice, its interval and a test. */
import {
  type BootstrapOptions,
  bootstrapInterval,
  datasetDice,
  roughNote,
  tooFewUnits,
  type Units,
  unitsOf,
} from '../../metrics/confidence.js';
import { type ClassCounts, type EmptyPolicy, requireOneOf } from '../../metrics/scores.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import { checkKeys } from '../../spec/index.js';
import { type SignedRankTest, wilcoxonSignedRank } from './wilcoxon.js';

/** Pixels of the foreground that a prediction hit, added and missed. */
export type ForegroundCounts = Pick<ClassCounts, 'tp' | 'fp' | 'fn'>;

/** What one model did on one case. */
export interface ComparedCase {
  /** Name of the case, the same for every model. */
  readonly name: string;
  /** Patient, volume or specimen. Cases of one group are one unit; a case without one is a unit of its own. */
  readonly group?: string;
  /** The foreground's counts, one entry per seed that the model was trained with. */
  readonly counts: readonly ForegroundCounts[];
}

/** Options of a paired comparison. */
export interface CompareOptions extends BootstrapOptions {
  /** What a unit without any foreground, true or predicted, scores. Default 'one'. */
  readonly emptyPolicy?: EmptyPolicy;
}

/** How the Dice of model a differs from that of model b. */
export interface PairedComparison {
  /** Dice of a minus that of b, each over the whole set and as the mean over seeds; null where one is undefined. */
  readonly difference: number | null;
  /** Interval [low, high] of the difference; null with a `reason`. */
  readonly interval: readonly [number, number] | null;
  /** Share of the resamples that the interval covers. */
  readonly level: number;
  /** Two-sided p of the signed-rank test over units; null with a `reason`. */
  readonly p: number | null;
  /** How p was found; null without a p. */
  readonly method: SignedRankTest['method'];
  /** The model with the larger sum of signed ranks: the one that p speaks for; null where they are equal. */
  readonly ranksFavour: 'a' | 'b' | null;
  /** What was drawn and ranked: groups where any case has one, else images. */
  readonly unit: 'group' | 'image';
  /** How many units there are. */
  readonly n: number;
  /** Why there is no interval or no p. */
  readonly reason?: string;
  /** What a reader should know: that the interval is rough below 50 units, and which units the test left out. */
  readonly note?: string;
}

const OWNER = 'study.comparePaired';

function requireCounts(model: string, cases: readonly ComparedCase[]): void {
  for (const { name, counts } of cases) {
    if (counts.length === 0 || counts.length !== cases[0].counts.length) {
      throw new InvalidArgumentError(
        `${OWNER}: every case of a model needs the counts of the same seeds, at least one. ` +
          `Received: ${counts.length} for '${name}' and ${cases[0].counts.length} for '${cases[0].name}' in ${model}.`,
      );
    }
    for (const { tp, fp, fn } of counts) {
      if (![tp, fp, fn].every((count) => Number.isSafeInteger(count) && count >= 0)) {
        throw new InvalidArgumentError(
          `${OWNER}: tp, fp and fn must be numbers of pixels. Received: tp=${tp}, fp=${fp}, fn=${fn} for '${name}' in ${model}.`,
        );
      }
    }
  }
}

function requireSameCases(a: readonly ComparedCase[], b: readonly ComparedCase[]): void {
  if (a.length !== b.length) {
    throw new InvalidArgumentError(
      `${OWNER}: a and b must hold the same cases in the same order. Received: ${a.length} and ${b.length} cases.`,
    );
  }
  a.forEach(({ name, group }, index) => {
    const other = b[index];
    if (name !== other.name) {
      throw new InvalidArgumentError(
        `${OWNER}: a and b must hold the same cases in the same order. Received: '${name}' and '${other.name}' at index ${index}.`,
      );
    }
    if (group !== other.group) {
      const text = (value: string | undefined) => (value === undefined ? 'no group' : `group '${value}'`);
      throw new InvalidArgumentError(
        `${OWNER}: a case must belong to the same group in a and b. Received: ${text(group)} and ${text(other.group)} for '${name}'.`,
      );
    }
  });
}

/** The units of one model; where the confidence interval has classes, a unit here has seeds: both are averaged last. */
export function unitsOfCases(model: string, cases: readonly ComparedCase[]): Units {
  requireCounts(model, cases);
  return unitsOf(
    cases.map(({ group, counts }) => ({ group, counts: counts.map(({ tp, fp, fn }) => ({ tp, fp, fn, tn: 0 })) })),
  );
}

/** Dice over the whole set: counts pooled over the units, per seed, then the mean over seeds; null where undefined. */
export function wholeSetDice({ units }: Units, emptyPolicy: EmptyPolicy): number | null {
  if (units.length === 0) return null;
  return datasetDice(units, Uint32Array.from(units.keys()), emptyPolicy);
}

function minus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

function favoured({ positive, negative }: SignedRankTest): 'a' | 'b' | null {
  if (positive === negative) return null;
  return positive > negative ? 'a' : 'b';
}

/**
 * Compares two models on the same cases. The effect is the difference of the Dice over the whole set (counts pooled over
 * the cases, per seed, then the mean over seeds). Its interval is a percentile bootstrap (Efron 1979) that draws units
 * with replacement, the same draw for both models and every seed, so that cases are drawn and seeds are not. p is that
 * of Wilcoxon's signed-rank test of the units' differences, a unit's Dice being that of its pooled counts, averaged over
 * seeds. Units are groups where cases have any, else cases.
 *
 * @param a The cases of the one model.
 * @param b The same cases, in the same order, of the other; it may have another number of seeds.
 * @param options `level` (default 0.95), `resamples` (default 2000), `seed` (default 0), `emptyPolicy` (default 'one').
 * @returns The comparison; fewer than two units give neither interval nor p, with the reason.
 * @throws InvalidArgumentError if the cases do not fit or an option is illegal.
 * @example
 * ```ts
 * import { study } from 'pyconvunet/training';
 *
 * const a = ['x', 'y', 'z'].map((name, i) => ({ name, counts: [{ tp: 90 + i, fp: 5, fn: 5 }] }));
 * const b = ['x', 'y', 'z'].map((name, i) => ({ name, counts: [{ tp: 80 + i, fp: 9, fn: 15 }] }));
 * const { difference, interval, p } = study.comparePaired(a, b, { seed: 1 });
 * console.log(difference?.toFixed(3), interval?.map((end) => end.toFixed(3)), p); // 0.077 [ '0.076', '0.078' ] 0.25
 * ```
 */
export function comparePaired(
  a: readonly ComparedCase[],
  b: readonly ComparedCase[],
  options: CompareOptions = {},
): PairedComparison {
  checkKeys(OWNER, options, ['level', 'resamples', 'seed', 'emptyPolicy']);
  const { emptyPolicy = 'one', ...bootstrap } = options;
  const { level = 0.95 } = bootstrap;
  requireOneOf(OWNER, 'emptyPolicy', emptyPolicy, ['one', 'zero', 'ignore']);
  requireSameCases(a, b);
  const ofA = unitsOfCases('a', a);
  const ofB = unitsOfCases('b', b);
  const { unit } = ofA;
  const n = ofA.units.length;
  const difference = minus(wholeSetDice(ofA, emptyPolicy), wholeSetDice(ofB, emptyPolicy));
  const without = { difference, interval: null, level, p: null, method: null, ranksFavour: null, unit, n };
  if (n < 2) {
    const reason = `${tooFewUnits(unit, n, a.length)}; an interval and a test need at least two independent ${unit}s`;
    return { ...without, reason };
  }
  const differenceOf = (indices: Uint32Array) =>
    minus(datasetDice(ofA.units, indices, emptyPolicy), datasetDice(ofB.units, indices, emptyPolicy));
  const interval = bootstrapInterval(n, differenceOf, bootstrap);
  if (difference === null || interval === null) {
    return {
      ...without,
      reason: 'a model has no Dice: nothing is foreground, in truth or prediction, and empty ones are ignored',
    };
  }
  const perUnit = ofA.units.map((_, index) => differenceOf(Uint32Array.of(index))).filter((value) => value !== null);
  const test = wilcoxonSignedRank(perUnit);
  const left = n - perUnit.length;
  const notes = [
    ...roughNote(unit, n),
    ...(left === 0 ? [] : [`the test leaves out ${left} of ${n} ${unit}s without foreground`]),
  ];
  return {
    difference,
    interval,
    level,
    p: test.p,
    method: test.method,
    ranksFavour: favoured(test),
    unit,
    n,
    ...(test.reason === undefined ? {} : { reason: test.reason }),
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
  };
}
