/** The paired comparisons of all networks on each data set. */
import type { StudyReport } from '../../../schemas.js';
import { html } from '../markup.js';
import { networkTitle } from '../networks.js';
import { difference, NONE, probability } from '../numbers.js';
import { table } from '../table.js';
import type { Part } from './part.js';

type Pair = StudyReport['comparisons'][number]['pairs'][number];

const interval = ({ interval: ends }: Pair): string =>
  ends === null ? NONE : `[${difference(ends[0])}, ${difference(ends[1])}]`;

const METHODS = { exact: 'exact', normal: 'normal approximation' } as const;

function cells(pair: Pair): string[] {
  const { method, unit, n, reason, note } = pair;
  return [
    difference(pair.difference),
    interval(pair),
    probability(pair.p),
    probability(pair.holmP),
    method === null ? NONE : METHODS[method],
    `${n} ${n === 1 ? unit : `${unit}s`}`,
    [reason, note].filter((each) => each !== undefined).join('; ') || NONE,
  ];
}

/** The part. */
export function comparisonsPart({ comparisons }: StudyReport): Part {
  const shown = comparisons.filter(({ pairs }) => pairs.length > 0);
  return {
    id: 'comparisons',
    short: 'Comparisons',
    title: 'Paired comparisons',
    content:
      shown.length === 0
        ? html`<p>One network: there is nothing to compare.</p>
`
        : shown.map(({ dataset, part, pairs }, i) =>
            table({
              id: `comparison-${i}`,
              label: `Comparisons on ${dataset}`,
              caption: `Dice of the first network minus that of the second on the same cases of the ${part} part; Wilcoxon’s signed-rank test, p also by Holm over the ${pairs.length === 1 ? 'one pair' : `${pairs.length} pairs`}.`,
              columns: [
                { head: 'Networks' },
                { head: 'Difference' },
                { head: '95 % interval' },
                { head: 'p' },
                { head: 'p (Holm)' },
                { head: 'Method', numeric: false },
                { head: 'n', numeric: false },
                { head: 'Note', numeric: false },
              ],
              groups: [
                {
                  rows: pairs.map((pair) => ({
                    head: `${networkTitle(pair.a)} − ${networkTitle(pair.b)}`,
                    cells: cells(pair),
                  })),
                },
              ],
            }),
          ),
  };
}
