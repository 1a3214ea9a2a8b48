/** Table 2: MIoU and Dice of every network on every data set, the trivial predictors beneath. */
import type { PartSummary, ReportDataset, ReportRow, StudyReport } from '../../../schemas.js';
import { type Content, html, type Markup } from '../markup.js';
import { networkTitle, withTitles } from '../networks.js';
import { interval, NONE, pixels, score } from '../numbers.js';
import { type Column, type Row, type RowGroup, table } from '../table.js';
import type { Part } from './part.js';

/** The parts of a row in the order of the columns, with what stands above them. */
type PartName = 'best' | 'last' | 'test';
const TITLES: Readonly<Record<PartName, string>> = {
  test: 'Test part (network of the best epoch)',
  best: 'Validation, best epoch',
  last: 'Validation, last epoch',
};

const partsOf = ({ rows }: StudyReport): PartName[] =>
  rows.some(({ test }) => test !== null) ? ['test', 'best', 'last'] : ['best', 'last'];

/** The part that the comparisons and the trivial predictors stand on. */
const scoredPart = (report: StudyReport): PartName => partsOf(report)[0] ?? 'best';

const spread = (sd: number | null | undefined): string => (sd === null || sd === undefined ? NONE : `± ${score(sd)}`);

const columnsOf = (report: StudyReport): Column[] => {
  const several = report.config.seeds.length > 1;
  return [
    { head: 'Network' },
    ...partsOf(report).flatMap((part) => {
      const group = TITLES[part];
      return [
        { head: 'MIoU', group },
        ...(several ? [{ head: 'SD of seeds', group }] : []),
        { head: 'Dice', group },
        ...(several ? [{ head: 'SD of seeds', group }] : []),
        { head: '95 % interval of Dice', group },
      ];
    }),
    { head: 'Best epochs', numeric: true },
  ];
};

function partCells(summary: PartSummary | null, several: boolean): string[] {
  const sd = summary?.seedSd;
  return [
    score(summary?.meanIoU),
    ...(several ? [spread(sd?.meanIoU)] : []),
    score(summary?.dice),
    ...(several ? [spread(sd?.dice)] : []),
    interval(summary?.confidence.dice),
  ];
}

/** The best epochs of a network's runs: each, or where there are many from which to which. */
function bestEpochs({ runs }: StudyReport, { dataset, model }: ReportRow): string {
  const epochs = runs.filter((run) => run.dataset === dataset && run.model === model).map(({ best }) => best.epoch);
  if (epochs.length <= 4) return epochs.join(', ');
  return `${Math.min(...epochs)}–${Math.max(...epochs)}`;
}

const MARK = html` <span class="best" title="separated from every other network">★</span><span class="visually-hidden"> (best)</span>`;

/** The three trivial predictors of a data set; their scores stand in the columns of the scored part. */
function trivialRows(report: StudyReport, { trivial }: ReportDataset): Row[] {
  const several = report.config.seeds.length > 1;
  const { allForeground, otsu, bestThreshold } = trivial;
  const width = columnsOf(report).length - 1;
  const row = (head: Content, scores: { dice: number | null; meanIoU: number | null }): Row => {
    const own = [
      score(scores.meanIoU),
      ...(several ? [NONE] : []),
      score(scores.dice),
      ...(several ? [NONE] : []),
      NONE,
    ];
    return { kind: 'quiet', head, cells: [...own, ...Array<string>(width - own.length).fill(NONE)] };
  };
  return [
    row('All foreground', allForeground),
    row(`Otsu’s threshold (${otsu.polarity} is foreground)`, otsu),
    row(`Best single threshold (${bestThreshold.polarity} is foreground)`, bestThreshold),
  ];
}

function groupOf(report: StudyReport, dataset: ReportDataset): RowGroup {
  const several = report.config.seeds.length > 1;
  const best = report.comparisons.find((each) => each.dataset === dataset.name)?.best.name ?? null;
  const rows = report.rows.filter((row) => row.dataset === dataset.name);
  return {
    head: dataset.name,
    rows: [
      ...rows.map((row): Row => {
        const head = networkTitle(row.model);
        const isBest = row.model === best;
        return {
          head: isBest ? html`${head}${MARK}` : head,
          ...(isBest ? { kind: 'strong' } : {}),
          cells: [...partsOf(report).flatMap((part) => partCells(row[part], several)), bestEpochs(report, row)],
        };
      }),
      ...trivialRows(report, dataset),
    ],
  };
}

/** Which network is marked on which data set, or why none is. */
function verdicts({ comparisons, rows }: StudyReport): Markup {
  const notes = comparisons.map(({ dataset, best }) => {
    if (best.name !== null) {
      return html`<li><b>${dataset}:</b> ${networkTitle(best.name)} is marked ★: it is separated from every other network.</li>
`;
    }
    return html`<li><b>${dataset}:</b> no network is marked. ${best.reason === undefined ? null : html`Reason: ${withTitles(best.reason)}.`}</li>
`;
  });
  const missing = [
    ...new Set(
      rows.flatMap(({ dataset, best }) =>
        best.confidence.reason === undefined ? [] : [`${dataset}: no interval, ${best.confidence.reason}`],
      ),
    ),
  ];
  return html`<ul class="text">
${notes}${missing.map(
  (each) => html`<li>${each}</li>
`,
)}</ul>
`;
}

const perImageColumns: readonly Column[] = [
  { head: 'Network' },
  ...['Mean', 'Median', 'SD'].map((head) => ({ head, group: 'Dice per image' })),
  { head: 'Mean', group: 'IoU per image' },
  { head: 'Mean', group: 'Surface Dice' },
  ...['Mean', 'Median', 'Without'].map((head) => ({ head, group: 'HD95 (pixels)' })),
  { head: 'Images' },
  { head: 'Units of the interval', numeric: false },
];

function perImageCells({ perImage, confidence }: PartSummary): string[] {
  const { dice, iou, surfaceDice, hausdorff95 } = perImage;
  const unit = confidence.n === 1 ? confidence.unit : `${confidence.unit}s`;
  return [
    score(dice.mean),
    score(dice.median),
    score(dice.sd),
    score(iou.mean),
    score(surfaceDice.mean),
    pixels(hausdorff95.mean),
    pixels(hausdorff95.median),
    String(hausdorff95.undefined),
    String(dice.n + dice.undefined),
    `${confidence.n} ${unit}`,
  ];
}

/** One table of scores per image for each part that is reported. */
function perImageTable(report: StudyReport, part: PartName): Markup {
  return table({
    id: `scores-per-image-${part}`,
    label: `Table 2, per image (${TITLES[part].toLowerCase()})`,
    caption:
      'Every image scored, then summarised over images, each the mean over seeds: how the paper’s code averages. “Without”: images with an empty mask, which have no distance.',
    columns: perImageColumns,
    groups: report.datasets.map(({ name }) => ({
      head: name,
      rows: report.rows
        .filter(({ dataset }) => dataset === name)
        .flatMap((row) => {
          const summary = row[part];
          return summary === null ? [] : [{ head: networkTitle(row.model), cells: perImageCells(summary) }];
        }),
    })),
  });
}

/** The part. */
export function scoresPart(report: StudyReport): Part {
  const several = report.config.seeds.length > 1;
  const optimistic =
    scoredPart(report) === 'test'
      ? 'The best epoch was chosen on the validation part, so its scores there are optimistic; the test part was not seen before.'
      : 'The best epoch is chosen by Dice on the very images that it is reported on, so its scores are optimistic; the last epoch stands beside it.';
  return {
    id: 'table-2',
    short: 'Table 2',
    title: 'Table 2. MIoU and Dice',
    content: html`<p>${optimistic}</p>
${table({
  id: 'scores',
  label: 'Table 2',
  caption: html`MIoU and Dice, counts added up over the whole set${several ? '; mean and standard deviation over seeds' : ''}. Interval: bootstrap over ${unitsOf(report)}. Grey: trivial predictors, which learn at most one number.`,
  columns: columnsOf(report),
  groups: report.datasets.map((dataset) => groupOf(report, dataset)),
})}${verdicts(report)}${partsOf(report).map((part) => perImageTable(report, part))}`,
  };
}

function unitsOf({ rows }: StudyReport): string {
  const units = new Set(rows.map(({ best }) => `${best.confidence.unit}s`));
  return [...units].join(' or ');
}
