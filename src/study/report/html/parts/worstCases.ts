/** The worst cases of each data set: the images with the lowest mean Dice over the networks. */
import type { StudyReport } from '../../../schemas.js';
import { networkTitle } from '../networks.js';
import { score } from '../numbers.js';
import { diceByImage } from '../scored.js';
import { type Row, table } from '../table.js';
import type { Part } from './part.js';

const WORST = 5;

function worstOf(report: StudyReport, dataset: string): Row[] {
  const { models } = report.config;
  const scores = models.map((model) => diceByImage(report, dataset, model));
  const cases = [...(scores[0]?.keys() ?? [])].flatMap((name) => {
    const dice = scores.map((each) => each.get(name) ?? null);
    const present = dice.filter((value) => value !== null);
    return present.length === 0
      ? []
      : [{ name, dice, mean: present.reduce((sum, value) => sum + value, 0) / present.length }];
  });
  return cases
    .sort((a, b) => a.mean - b.mean)
    .slice(0, WORST)
    .map(({ name, dice, mean }) => ({ head: name, cells: [score(mean), ...dice.map(score)] }));
}

/** The part. */
export function worstCasesPart(report: StudyReport): Part {
  return {
    id: 'worst-cases',
    short: 'Worst cases',
    title: 'Worst cases',
    content: table({
      id: 'worst',
      label: 'Worst cases',
      caption: `Of each data set the ${WORST} images with the lowest Dice, mean over the networks, with the Dice of each${report.config.seeds.length > 1 ? ' (mean over seeds)' : ''}.`,
      columns: [
        { head: 'Image' },
        { head: 'Mean' },
        ...report.config.models.map((model) => ({ head: networkTitle(model) })),
      ],
      groups: report.datasets.map(({ name }) => ({ head: name, rows: worstOf(report, name) })),
    }),
  };
}
