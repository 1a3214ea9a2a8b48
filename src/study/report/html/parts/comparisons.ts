/** The paired comparisons of all networks on each data set. */
import type { StudyReport } from '../../../schemas.js';
import { html, type Markup } from '../markup.js';
import { networkLabel, networkTitle } from '../networks.js';
import { difference, NONE, probability } from '../numbers.js';
import { table } from '../table.js';
import type { Part } from './part.js';

type Pair = StudyReport['comparisons'][number]['pairs'][number];

const interval = ({ interval: ends }: Pair): string =>
  ends === null ? NONE : `[${difference(ends[0])}, ${difference(ends[1])}]`;

const METHODS = { exact: 'exact', normal: 'normal approximation' } as const;

function cells(pair: Pair): string[] {
  const { method, unit, n } = pair;
  return [
    difference(pair.difference),
    interval(pair),
    probability(pair.p),
    probability(pair.holmP),
    method === null ? NONE : METHODS[method],
    `${n} ${n === 1 ? unit : `${unit}s`}`,
  ];
}

/** What holds for all pairs: the pairs have their cases in common. */
function notes(pairs: readonly Pair[]): string {
  const found = [...new Set(pairs.flatMap(({ note }) => note ?? []))];
  return found.length === 0 ? '' : ` Intervals are ${found.join('; ')}.`;
}

function comparisonTable({ dataset, part, pairs }: StudyReport['comparisons'][number], id: string): Markup {
  const withReason = pairs.some(({ reason }) => reason !== undefined);
  const tested = pairs.filter(({ p }) => p !== null).length;
  const holm = tested === 1 ? 'one pair' : `${tested} pairs`;
  return table({
    id,
    label: `Comparisons on ${dataset}`,
    caption: `Dice of the first network minus that of the second on the same cases of the ${part} part; p by Wilcoxon’s signed-rank test, also by Holm over the ${holm}.${notes(pairs)}`,
    columns: [
      { head: 'Networks' },
      { head: 'Difference' },
      { head: '95 % interval' },
      { head: 'p' },
      { head: 'p, Holm' },
      { head: 'Method', numeric: false },
      { head: 'n', numeric: false },
      ...(withReason ? [{ head: 'Why a value is missing', numeric: false, wrap: true }] : []),
    ],
    groups: [
      {
        rows: pairs.map((pair) => ({
          head: html`<span class="name">${networkTitle(pair.a)} −</span> ${networkLabel(pair.b)}`,
          cells: [...cells(pair), ...(withReason ? [pair.reason ?? ''] : [])],
        })),
      },
    ],
  });
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
        : shown.map((each, i) => comparisonTable(each, `comparison-${i}`)),
  };
}
