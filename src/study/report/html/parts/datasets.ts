/** Table 1: the data sets. */
import type { ReportDataset, StudyReport } from '../../../schemas.js';
import { html } from '../markup.js';
import { count, NONE, percent } from '../numbers.js';
import { type Column, table } from '../table.js';
import type { Part } from './part.js';

const SPLITS: Readonly<Record<ReportDataset['split'], string>> = {
  images: 'image',
  groups: 'group',
  blocks: 'block of sections',
};

/** Which of the columns that not every study has there are. */
interface Shown {
  readonly test: boolean;
  readonly folds: boolean;
  readonly groups: boolean;
  readonly window: boolean;
}

const columnsOf = ({ test, folds, groups, window }: Shown): Column[] => [
  { head: 'Data set' },
  { head: 'Images' },
  { head: 'Height × width × channels' },
  { head: 'Train' },
  { head: 'Validation' },
  ...(test ? [{ head: 'Test' }] : []),
  ...(folds ? [{ head: 'Folds' }] : []),
  { head: 'Split by', numeric: false },
  ...(groups ? [{ head: 'Groups' }] : []),
  ...(window ? [{ head: 'Window (centre, width)' }] : []),
  { head: 'Foreground' },
  { head: 'Origin', numeric: false, wrap: true },
];

function cellsOf(dataset: ReportDataset, { test, folds, groups, window }: Shown): string[] {
  const { images, size, channels, train, validation, split, foreground, origin } = dataset;
  return [
    count(images),
    [...size, channels].join(' × '),
    count(train),
    count(validation),
    ...(test ? [count(dataset.test)] : []),
    ...(folds ? [dataset.folds === null ? NONE : count(dataset.folds)] : []),
    SPLITS[split],
    ...(groups ? [dataset.groups === null ? NONE : count(dataset.groups)] : []),
    ...(window ? [dataset.window?.join(', ') ?? NONE] : []),
    percent(foreground),
    origin ?? 'not stated',
  ];
}

/** The part. */
export function datasetsPart({ datasets }: StudyReport): Part {
  const shown = {
    test: datasets.some(({ test }) => test > 0),
    folds: datasets.some(({ folds }) => folds !== null),
    groups: datasets.some(({ groups }) => groups !== null),
    window: datasets.some(({ window }) => window !== null),
  };
  const folds = shown.folds ? ' With folds the images of each part are those of the first fold.' : '';
  return {
    id: 'table-1',
    short: 'Table 1',
    title: 'Table 1. Data sets',
    content: table({
      id: 'datasets',
      label: 'Table 1',
      caption: html`The data sets: images of each part, how the parts were made, share of foreground pixels.${folds}`,
      columns: columnsOf(shown),
      groups: [{ rows: datasets.map((each) => ({ head: each.name, cells: cellsOf(each, shown) })) }],
    }),
  };
}
