/** Table 2: MIoU and Dice of every network on every data set, the trivial predictors beneath. */
import type { PartSummary, ReportDataset, ReportRow, StudyReport } from '../../../schemas.js';
import { type Content, html, type Markup } from '../markup.js';
import { networkLabel, withTitles } from '../networks.js';
import { interval, NONE, pixels, score } from '../numbers.js';
import { type Column, type Row, type RowGroup, table } from '../table.js';
import type { Part } from './part.js';

/** The parts of a row in the order of the columns, with what stands above them. */
type PartName = 'best' | 'last' | 'test';
const TITLES: Readonly<Record<PartName, string>> = {
  test: 'Test part, network of the best epoch',
  best: 'Validation, best epoch',
  last: 'Validation, last epoch',
};

const hasTest = ({ rows }: StudyReport): boolean => rows.some(({ test }) => test !== null);
const isRepeated = ({ config }: StudyReport): boolean => config.seeds.length > 1;

const columnsOf = (report: StudyReport, parts: readonly PartName[]): Column[] => {
  const sd = (group: string) => (isRepeated(report) ? [{ head: 'SD', group }] : []);
  return [
    { head: 'Network' },
    ...parts.flatMap((part) => {
      const group = TITLES[part];
      return [
        { head: 'MIoU', group },
        ...sd(group),
        { head: 'Dice', group },
        ...sd(group),
        { head: '95 % interval', group },
      ];
    }),
    { head: 'Best epochs' },
  ];
};

function partCells(report: StudyReport, summary: PartSummary | null): string[] {
  const sd = (value: number | null | undefined) => (isRepeated(report) ? [score(value)] : []);
  return [
    score(summary?.meanIoU),
    ...sd(summary?.seedSd.meanIoU),
    score(summary?.dice),
    ...sd(summary?.seedSd.dice),
    interval(summary?.confidence.dice),
  ];
}

/** The best epochs of a network's runs: each, or where there are many from which to which. */
function bestEpochs({ runs }: StudyReport, { dataset, model }: ReportRow): string {
  const epochs = runs.filter((run) => run.dataset === dataset && run.model === model).map(({ best }) => best.epoch);
  if (epochs.length <= 3) return epochs.join(', ');
  const [first, last] = [Math.min(...epochs), Math.max(...epochs)];
  return first === last ? String(first) : `${first}–${last}`;
}

const MARK = html` <span class="best" title="separated from every other network">★</span><span class="visually-hidden"> (best)</span>`;

/** The three trivial predictors of a data set; their scores stand in the columns of the first part, which they belong to. */
function trivialRows(report: StudyReport, { trivial }: ReportDataset, width: number): Row[] {
  const { allForeground, otsu, bestThreshold } = trivial;
  const sd = isRepeated(report) ? [NONE] : [];
  const row = (head: Content, { dice, meanIoU }: { dice: number | null; meanIoU: number | null }): Row => {
    const own = [score(meanIoU), ...sd, score(dice), ...sd];
    return { kind: 'quiet', head, cells: [...own, ...Array<string>(width - own.length).fill(NONE)] };
  };
  return [
    row('All foreground', allForeground),
    row(`Otsu’s threshold, ${otsu.polarity}`, otsu),
    row(`Best threshold, ${bestThreshold.polarity}`, bestThreshold),
  ];
}

/** The rows of a data set; `main`: with the mark of the best and the trivial predictors. */
function groupOf(
  report: StudyReport,
  dataset: ReportDataset,
  { parts, main }: { readonly parts: readonly PartName[]; readonly main: boolean },
): RowGroup {
  const best = report.comparisons.find((each) => each.dataset === dataset.name)?.best.name ?? null;
  const rows = report.rows
    .filter((row) => row.dataset === dataset.name)
    .map((row): Row => {
      const head = networkLabel(row.model);
      const isBest = main && row.model === best;
      return {
        head: isBest ? html`${head}${MARK}` : head,
        ...(isBest ? { kind: 'strong' } : {}),
        cells: [...parts.flatMap((part) => partCells(report, row[part])), bestEpochs(report, row)],
      };
    });
  const width = columnsOf(report, parts).length - 1;
  return { head: dataset.name, rows: main ? [...rows, ...trivialRows(report, dataset, width)] : rows };
}

/** What all tables of scores over the whole set say of their columns. */
function columnsSay(report: StudyReport): string {
  return `counts added up over the whole set${isRepeated(report) ? '; mean and standard deviation (SD) over seeds' : ''}. Interval: of Dice, bootstrap over ${unitsOf(report)}; it says nothing of how much another seed would change.`;
}

/** Table 2 itself, on the part that the comparisons stand on; with a test part the validation part has a table of its own. */
function wholeSetTables(report: StudyReport): Markup {
  const parts: readonly PartName[] = hasTest(report) ? ['test'] : ['best', 'last'];
  const main = table({
    id: 'scores',
    label: 'Table 2',
    caption: `MIoU and Dice, ${columnsSay(report)} Grey: trivial predictors, which learn at most a threshold and whether the foreground is dark or bright.`,
    columns: columnsOf(report, parts),
    groups: report.datasets.map((dataset) => groupOf(report, dataset, { parts, main: true })),
  });
  const said = verdicts(report);
  if (!hasTest(report)) return html`${main}${said}`;
  const validation = ['best', 'last'] as const;
  return html`${main}${said}${table({
    id: 'scores-validation',
    label: 'Table 2, validation part',
    caption: `MIoU and Dice of the part on which the best epoch was chosen, ${columnsSay(report)}`,
    columns: columnsOf(report, validation),
    groups: report.datasets.map((dataset) => groupOf(report, dataset, { parts: validation, main: false })),
  })}`;
}

/** Which network is marked on which data set, or why none is. */
function verdicts({ comparisons, rows }: StudyReport): Markup {
  const notes = comparisons.map(({ dataset, best }) => {
    if (best.name !== null) {
      return html`<li><b>${dataset}:</b> ${networkLabel(best.name)} is marked ★: it is separated from every other network.</li>
`;
    }
    return html`<li><b>${dataset}:</b> no network is marked. ${best.reason === undefined ? null : html`Reason: ${withTitles(best.reason)}.`}</li>
`;
  });
  const missing = [
    ...new Set(
      rows.flatMap(({ dataset, best, test }) => {
        const { reason } = (test ?? best).confidence;
        return reason === undefined ? [] : [`${dataset}: no interval, ${reason}`];
      }),
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
          return summary === null ? [] : [{ head: networkLabel(row.model), cells: perImageCells(summary) }];
        }),
    })),
  });
}

function unitsOf({ rows }: StudyReport): string {
  const units = new Set(rows.map(({ best, test }) => `${(test ?? best).confidence.unit}s`));
  return [...units].join(' or ');
}

/** The part. */
export function scoresPart(report: StudyReport): Part {
  const parts: readonly PartName[] = hasTest(report) ? ['test', 'best', 'last'] : ['best', 'last'];
  const optimistic = hasTest(report)
    ? 'The best epoch was chosen on the validation part, so its scores there are optimistic; the test part was not seen before.'
    : 'The best epoch is chosen by Dice on the very images that it is reported on, so its scores are optimistic; the last epoch stands beside it.';
  return {
    id: 'table-2',
    short: 'Table 2',
    title: 'Table 2. MIoU and Dice',
    content: html`<p>${optimistic}</p>
${wholeSetTables(report)}${parts.map((part) => perImageTable(report, part))}`,
  };
}
