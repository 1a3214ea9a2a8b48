/** Missed and spurious objects, and images without foreground. */
import type { PartSummary, StudyReport } from '../../../schemas.js';
import { networkLabel } from '../networks.js';
import { count, NONE, percent } from '../numbers.js';
import { table } from '../table.js';
import type { Part } from './part.js';

const cells = ({ objects, missed, spurious, emptyCases }: PartSummary): string[] => [
  count(objects),
  count(missed),
  objects === 0 ? NONE : percent(missed / objects),
  count(spurious),
  count(emptyCases),
];

/** The part. */
export function objectsPart({ rows, datasets, config }: StudyReport): Part {
  const where = rows.some(({ test }) => test !== null) ? 'test part' : 'validation part, best epoch';
  return {
    id: 'missed-objects',
    short: 'Missed objects',
    title: 'Missed and spurious objects',
    content: table({
      id: 'objects',
      label: 'Missed and spurious objects',
      caption: `Connected parts of the true foreground of which no pixel was predicted, and predicted parts that touch no true one (${where})${config.seeds.length > 1 ? '; added up over seeds' : ''}. Empty cases: images without foreground in truth and prediction.`,
      columns: [
        { head: 'Network' },
        { head: 'True objects' },
        { head: 'Missed' },
        { head: 'Missed, share' },
        { head: 'Spurious' },
        { head: 'Empty cases' },
      ],
      groups: datasets.map(({ name }) => ({
        head: name,
        rows: rows
          .filter(({ dataset }) => dataset === name)
          .map(({ model, best, test }) => ({ head: networkLabel(model), cells: cells(test ?? best) })),
      })),
    }),
  };
}
