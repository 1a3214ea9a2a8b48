/** One level of a pyramidal convolution, drawn from left to right: its kernel, its groups, its numbers. */
import { countPyConv, type PyConvLevel, type PyConvSpec } from '../spec/index.js';
import { arrow } from './arrows.js';
import { exact, macsText, plural } from './numbers.js';
import { element, type Markup } from './svg.js';
import { LINE, text } from './theme.js';

/** Where the parts of a level stand, from left to right. */
export const COLUMNS = { input: 44, kernel: 190, groups: 262, words: 474, output: 764 } as const;
export const GROUPS_WIDTH = 176;
export const MAP_WIDTH = 40;
const LEVEL_COLOURS = 4;

/** A level with its row. */
export interface PlacedLevel {
  readonly level: PyConvLevel;
  readonly index: number;
  readonly filters: number;
  readonly top: number;
  readonly height: number;
}

/** The class that colours a level. */
export const colour = (index: number): string => `level${index % LEVEL_COLOURS}`;
/** The height in the middle of a row. */
export const middle = ({ top, height }: PlacedLevel): number => top + height / 2;

const tenth = (value: number): number => Math.round(value * 10) / 10;

/** The kernel as a grid, all levels in one scale. */
function kernelMarkup(placed: PlacedLevel, cell: number): Markup {
  const { kernelSize } = placed.level;
  const side = kernelSize * cell;
  const [x, y] = [COLUMNS.kernel - side / 2, middle(placed) - side / 2];
  const steps = Array.from({ length: kernelSize - 1 }, (_, i) => (i + 1) * cell);
  // Lines closer than this would be a grey area.
  const lines =
    cell < 5
      ? []
      : steps.flatMap((d) => [
          `M${tenth(x + d)} ${tenth(y)}v${tenth(side)}`,
          `M${tenth(x)} ${tenth(y + d)}h${tenth(side)}`,
        ]);
  return element(
    'g',
    {},
    element('rect', { class: `${colour(placed.index)} grid`, x, y, width: side, height: side, rx: 1 }),
    ...(lines.length === 0 ? [] : [element('path', { class: 'grid', fill: 'none', d: lines.join('') })]),
  );
}

/** Input channels above, filters below, both cut into groups; lines show which filters see which channels. */
function groupsMarkup(placed: PlacedLevel): Markup {
  // Groups that are too many to be told apart are one bar; the words beside it give their number.
  const groups = placed.level.groups > GROUPS_WIDTH / 2 ? 1 : placed.level.groups;
  const [x, above, below, height] = [COLUMNS.groups, middle(placed) - 24, middle(placed) + 12, 12];
  const width = GROUPS_WIDTH / groups;
  const gap = Math.min(2, width / 4);
  const bars = (y: number, className: string) =>
    Array.from({ length: groups }, (_, i) =>
      element('rect', {
        class: className,
        x: x + i * width + gap / 2,
        y,
        width: width - gap,
        height,
        'stroke-width': 0.7,
      }),
    );
  const links = Array.from({ length: groups }, (_, i) => {
    const [left, right] = [x + i * width + gap / 2, x + (i + 1) * width - gap / 2];
    // The filters are drawn as narrow as their share, so that a group reads as a funnel.
    const inset = (right - left) * 0.2;
    const [top, bottom] = [tenth(above + height), tenth(below)];
    return `M${tenth(left)} ${top}L${tenth(left + inset)} ${bottom}H${tenth(right - inset)}L${tenth(right)} ${top}Z`;
  });
  return element(
    'g',
    {},
    element('path', { class: colour(placed.index), 'fill-opacity': 0.35, d: links.join('') }),
    ...bars(above, 'end'),
    ...bars(below, `${colour(placed.index)} grid`),
  );
}

function wordsMarkup(placed: PlacedLevel, spec: PyConvSpec): Markup[] {
  const { level, index, filters } = placed;
  const { kernelSize, groups, channels } = level;
  const own = { ...spec, levels: [{ ...level, channels: { start: 0, end: channels.end - channels.start } }] };
  const { parameters, macs } = countPyConv(own);
  const lines = [
    `Level ${index + 1}: ${kernelSize}×${kernelSize}, ${plural(groups, 'group')}`,
    `${plural(filters, 'filter')} of ${kernelSize}×${kernelSize}×${exact(spec.input.channels / groups)}`,
    groups === 1
      ? `${exact(spec.input.channels)} → ${plural(filters, 'channel')}`
      : `each group ${exact(spec.input.channels / groups)} → ${plural(filters / groups, 'channel')}`,
    `${exact(parameters)} params, ${macsText(macs)}`,
  ];
  const y = middle(placed) - ((lines.length - 1) * LINE) / 2 + 5;
  return lines.map((line, i) => text(COLUMNS.words, y + i * LINE, line, { className: i === 0 ? 'name' : 'quiet' }));
}

/**
 * The level's row.
 *
 * @param cell Side of one cell of a kernel.
 * @param from Height at which the input's arrow leaves.
 */
export function levelMarkup(placed: PlacedLevel, spec: PyConvSpec, cell: number, from: number): Markup {
  const { level, index, filters } = placed;
  const y = middle(placed);
  const side = (level.kernelSize * cell) / 2;
  const start = COLUMNS.input + MAP_WIDTH;
  const elbow = start + 24;
  const target = COLUMNS.kernel - side - 3;
  const wordsEnd = COLUMNS.output - 44;
  return element(
    'g',
    { 'data-level': index + 1, 'data-kernel': level.kernelSize, 'data-groups': level.groups, 'data-filters': filters },
    arrow(
      Math.abs(from - y) < 1
        ? [
            [start, y],
            [target, y],
          ]
        : [
            [start, from],
            [elbow, from],
            [elbow, y],
            [target, y],
          ],
      { class: 'main' },
    ),
    kernelMarkup(placed, cell),
    groupsMarkup(placed),
    ...wordsMarkup(placed, spec),
    arrow(
      [
        [wordsEnd, y],
        [COLUMNS.output - 3, y],
      ],
      { class: 'main' },
    ),
  );
}
