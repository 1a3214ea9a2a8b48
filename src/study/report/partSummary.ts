/** The scores of one network on one part, over its seeds and folds. */
import { type ClassCounts, diceConfidence } from '../../metrics/index.js';
import type { CaseResult, PartSummary } from '../schemas.js';
import { type ComparedCase, summary } from '../statistics/index.js';

/** The cases of one seed, those of all its folds together. */
export interface SeedCases {
  readonly seed: number;
  readonly cases: readonly CaseResult[];
}

const total = (cases: readonly CaseResult[], count: 'tp' | 'fp' | 'fn' | 'tn' | 'objects' | 'missed' | 'spurious') =>
  cases.reduce((sum, each) => sum + each[count], 0);

/** Nothing of a class in truth and prediction is an agreement. */
const ratio = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);

/** Dice of the foreground and mean IoU of both classes, counts added up over all images. */
function overall(cases: readonly CaseResult[]): { dice: number; meanIoU: number } {
  const tp = total(cases, 'tp');
  const tn = total(cases, 'tn');
  const wrong = total(cases, 'fp') + total(cases, 'fn');
  return { dice: ratio(2 * tp, 2 * tp + wrong), meanIoU: (ratio(tp, tp + wrong) + ratio(tn, tn + wrong)) / 2 };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean over the seeds in which a case has the score; null in none. */
function meanScore(cases: readonly CaseResult[], score: 'dice' | 'iou' | 'surfaceDice' | 'hausdorff95'): number | null {
  const values = cases.flatMap((each) => each[score] ?? []);
  return values.length === 0 ? null : mean(values);
}

/** One list for each image: what every seed made of it. */
export function byImage(seeds: readonly SeedCases[]): CaseResult[][] {
  const [first] = seeds;
  return (first?.cases ?? []).map(({ name }) =>
    seeds.map(({ seed, cases }) => {
      const found = cases.find((each) => each.name === name);
      if (found === undefined) throw new Error(`Seed ${seed} did not score ${name}.`);
      return found;
    }),
  );
}

/** The images as the paired comparison takes them. */
export function comparedCases(seeds: readonly SeedCases[]): ComparedCase[] {
  return byImage(seeds).map((cases) => {
    const [{ name, group }] = cases as [CaseResult, ...CaseResult[]];
    return { name, ...(group === null ? {} : { group }), counts: cases };
  });
}

const countsOf = ({ tp, fp, fn, tn }: CaseResult): ClassCounts => ({ tp, fp, fn, tn });

/** Summarises a part over its seeds. */
export function summarizePart(seeds: readonly SeedCases[]): PartSummary {
  const bySeed = seeds.map(({ seed, cases }) => ({ seed, ...overall(cases) }));
  const images = byImage(seeds);
  const all = seeds.flatMap(({ cases }) => cases);
  const perImage = (score: 'dice' | 'iou' | 'surfaceDice' | 'hausdorff95') =>
    summary(images.map((cases) => meanScore(cases, score)));
  return {
    dice: mean(bySeed.map(({ dice }) => dice)),
    meanIoU: mean(bySeed.map(({ meanIoU }) => meanIoU)),
    bySeed,
    seedSd: {
      dice: summary(bySeed.map(({ dice }) => dice)).sd,
      meanIoU: summary(bySeed.map(({ meanIoU }) => meanIoU)).sd,
    },
    confidence: diceConfidence(
      images.map((cases) => {
        const group = cases[0]?.group ?? null;
        return { ...(group === null ? {} : { group }), counts: cases.map(countsOf) };
      }),
    ),
    perImage: {
      dice: perImage('dice'),
      iou: perImage('iou'),
      surfaceDice: perImage('surfaceDice'),
      hausdorff95: perImage('hausdorff95'),
    },
    objects: total(all, 'objects'),
    missed: total(all, 'missed'),
    spurious: total(all, 'spurious'),
    emptyCases: all.filter(({ tp, fp, fn }) => tp + fp + fn === 0).length,
  };
}
