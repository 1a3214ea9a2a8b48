/** Confidence intervals by the seeded percentile bootstrap over independent units. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { Random } from '../runtime/random.js';
import { checkKeys } from '../spec/index.js';
import { percentile } from './percentile.js';
import { addCounts, type ClassCounts, type EmptyPolicy, meanOfPresent, requireOneOf, scoresOf } from './scores.js';

const BOOTSTRAP = ['level', 'resamples', 'seed'];

/** Options of the bootstrap. */
export interface BootstrapOptions {
  /** Share of the resamples that the interval covers. Default 0.95. */
  readonly level?: number;
  /** How often the units are drawn anew. Default 2000. */
  readonly resamples?: number;
  /** Seed of the draws; 0 is a seed. Default 0. */
  readonly seed?: number;
}

/** One image's counts, with the group it belongs to. */
export interface CountedImage {
  /** Patient, volume or specimen. Images of one group are drawn together; an image without one is drawn alone. */
  readonly group?: string;
  /** One entry per class that the Dice averages over, as `ConfusionMatrix.perImageCounts` gives them. */
  readonly counts: readonly ClassCounts[];
}

/** An interval of the Dice over a data set, or why there is none. */
export interface DiceConfidence {
  /** [low, high], or null with a `reason`. */
  readonly dice: readonly [number, number] | null;
  /** Share of the resamples that the interval covers. */
  readonly level: number;
  /** What was drawn: groups where any image has one, else images. */
  readonly unit: 'group' | 'image';
  /** How many units there are. */
  readonly n: number;
  /** Why there is no interval. */
  readonly reason?: string;
  /** What a reader should know of the interval: that it is rough below 50 units. */
  readonly note?: string;
}

/** Below this the percentile bootstrap's interval is visibly too narrow. */
const ROUGH_BELOW = 50;

/**
 * The percentile bootstrap (Efron 1979): draws n of n units with replacement, many times, and takes the percentiles of
 * the statistic.
 *
 * @param n Number of units, at least 1.
 * @param statistic The statistic of the units with these indices; null where it does not exist.
 * @param options `level` (default 0.95), `resamples` (default 2000), `seed` (default 0).
 * @returns [low, high], or null if the statistic never existed.
 * @throws InvalidArgumentError for an illegal option.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 *
 * const values = Float64Array.of(0.91, 0.88, 0.95, 0.79);
 * const mean = (indices: Uint32Array) => indices.reduce((sum, i) => sum + values[i], 0) / indices.length;
 * const [low, high] = metrics.bootstrapInterval(values.length, mean, { seed: 1 }) ?? [];
 * console.log(low, high);
 * ```
 */
export function bootstrapInterval(
  n: number,
  statistic: (indices: Uint32Array) => number | null,
  options: BootstrapOptions = {},
): readonly [number, number] | null {
  checkKeys('metrics.bootstrapInterval', options, BOOTSTRAP);
  const { level = 0.95, resamples = 2000, seed = 0 } = options;
  if (!(level > 0 && level < 1)) {
    throw new InvalidArgumentError(`metrics: level must lie between 0 and 1. Received: level=${level}.`);
  }
  for (const [name, value] of [
    ['n', n],
    ['resamples', resamples],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InvalidArgumentError(`metrics: ${name} must be an integer from 1 on. Received: ${name}=${value}.`);
    }
  }
  const random = new Random(seed);
  const indices = new Uint32Array(n);
  const values: number[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    for (let i = 0; i < n; i++) indices[i] = random.integer(n);
    const value = statistic(indices);
    if (value !== null) values.push(value);
  }
  if (values.length === 0) return null;
  const tail = (100 * (1 - level)) / 2;
  return [percentile(values, tail), percentile(values, 100 - tail)];
}

/** Independent units of a data set. */
export interface Units {
  /** Groups where any image has one, else images. */
  readonly unit: 'group' | 'image';
  /** `units[unit][class]`: counts added up over the images of the unit. */
  readonly units: readonly (readonly ClassCounts[])[];
}

/** Adds up the counts of each group; the order of groups is that of their first image. */
export function unitsOf(images: readonly CountedImage[]): Units {
  const grouped = new Map<string, CountedImage[]>();
  images.forEach((image, index) => {
    const key = image.group === undefined ? `image ${index}` : `group ${image.group}`;
    grouped.set(key, [...(grouped.get(key) ?? []), image]);
  });
  const units = [...grouped.values()].map((members) =>
    members[0].counts.map((_, label) => addCounts(members.map((member) => member.counts[label]))),
  );
  return { unit: images.some((image) => image.group !== undefined) ? 'group' : 'image', units };
}

/** Dice of the data set that the drawn units make up: counts first, then the mean over classes. */
export function datasetDice(units: Units['units'], indices: Uint32Array, emptyPolicy: EmptyPolicy): number | null {
  return meanOfPresent(
    units[0].map((_, label) => {
      let tp = 0;
      let fp = 0;
      let fn = 0;
      for (const index of indices) {
        const counts = units[index][label];
        tp += counts.tp;
        fp += counts.fp;
        fn += counts.fn;
      }
      return scoresOf({ tp, fp, fn, tn: 0 }, emptyPolicy).dice;
    }),
  );
}

/** What there is instead of two units: the first half of the reason why there is no interval. */
export function tooFewUnits(unit: Units['unit'], n: number, images: number): string {
  if (unit === 'group') return `all ${images} images belong to one group`;
  return n === 1 ? 'there is one image' : 'there are no images';
}

/** The note that the interval of few units is rough; none from 50 units on. */
export function roughNote(unit: Units['unit'], n: number): string[] {
  return n < ROUGH_BELOW ? [`rough: ${n} ${unit}s, fewer than ${ROUGH_BELOW}`] : [];
}

/**
 * The confidence interval of the Dice over a data set: units (groups where there are any, else images) are drawn with
 * replacement, their pixels added up, the Dice computed anew.
 *
 * @param images One entry per image, all with the same classes.
 * @param options Those of the bootstrap, and `emptyPolicy` (default 'one').
 * @returns The interval, or null with the reason where there are fewer than two units.
 * @throws InvalidArgumentError for an illegal option, or if images differ in their number of classes.
 * @example
 * ```ts
 * import { metrics } from 'pyconvunet';
 *
 * const patients = ['a', 'a', 'b'];
 * const matrix = new metrics.ConfusionMatrix();
 * for (const _ of patients) await matrix.update(Uint8Array.of(0, 1, 1, 0), Float32Array.of(0.1, 0.9, 0.4, 0.2));
 * const cases = matrix.perImageCounts().map((counts, image) => ({ counts, group: patients[image] }));
 * console.log(metrics.diceConfidence(cases, { seed: 1 }).unit); // group
 * ```
 */
export function diceConfidence(
  images: readonly CountedImage[],
  options: BootstrapOptions & { readonly emptyPolicy?: EmptyPolicy } = {},
): DiceConfidence {
  checkKeys('metrics.diceConfidence', options, [...BOOTSTRAP, 'emptyPolicy']);
  const { emptyPolicy = 'one', ...bootstrap } = options;
  const { level = 0.95 } = bootstrap;
  requireOneOf('metrics.diceConfidence', 'emptyPolicy', emptyPolicy, ['one', 'zero', 'ignore']);
  const classes = images.map((image) => image.counts.length);
  if (classes.some((count) => count !== classes[0] || count === 0)) {
    throw new InvalidArgumentError(
      `metrics.diceConfidence: every image needs the counts of the same classes. Received: ${[...new Set(classes)].join(', ')} classes.`,
    );
  }
  const { unit, units } = unitsOf(images);
  const n = units.length;
  if (n < 2) {
    const reason = `${tooFewUnits(unit, n, images.length)}; an interval needs at least two independent ${unit}s`;
    return { dice: null, level, unit, n, reason };
  }
  const dice = bootstrapInterval(n, (indices) => datasetDice(units, indices, emptyPolicy), bootstrap);
  if (dice === null) {
    return {
      dice,
      level,
      unit,
      n,
      reason: 'no image holds foreground, in truth or prediction, and empty ones are ignored',
    };
  }
  const [note] = roughNote(unit, n);
  return { dice, level, unit, n, ...(note === undefined ? {} : { note }) };
}
