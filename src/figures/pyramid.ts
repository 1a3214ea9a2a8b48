/** A pyramidal convolution as a figure (Fig. 1 of Li, Fan, Cai 2021, after Duta et al. 2020), drawn from its specification. */
import { countPyConv, type PyConvSpec } from '../spec/index.js';
import { exact, macsText, plural, sizeText } from './numbers.js';
import { COLUMNS, colour, GROUPS_WIDTH, levelMarkup, MAP_WIDTH, middle, type PlacedLevel } from './pyramidLevel.js';
import { element, type Markup } from './svg.js';
import { figure, LINE, text, textWidth, wrap } from './theme.js';

/** Options of {@link pyConvFigure}. */
export interface PyConvFigureOptions {
  /** Default 'Pyramidal convolution'. */
  readonly title?: string;
}

const WIDTH = 880;
const MARGIN = 16;
const HEADER = 96;
/** Side of the largest kernel that is drawn, and of one of its cells at most. */
const KERNEL = 96;
const CELL = 11;
const ROW_GAP = 18;
const LEAST_ROW = 5 * LINE;

/** Maps as a pile of cards. */
function pile(x: number, y: number, height: number, className: string): Markup[] {
  return [8, 4, 0].map((d) =>
    element('rect', {
      class: className,
      x: x - d,
      y: y + 4 - d,
      width: MAP_WIDTH,
      height,
      rx: 2,
      'stroke-width': 1.2,
    }),
  );
}

/** The concatenated output: a part for each level, labelled with its channels. */
function outputMarkup(levels: readonly PlacedLevel[]): Markup[] {
  return levels.flatMap((placed, i) => {
    const next = levels[i + 1];
    const top = i === 0 ? placed.top : placed.top - ROW_GAP / 2;
    const bottom = placed.top + placed.height + (next === undefined ? 0 : ROW_GAP / 2);
    const [x, y] = [COLUMNS.output + MAP_WIDTH / 2, middle(placed) + 5];
    const size = { x: COLUMNS.output, y: top, width: MAP_WIDTH, height: bottom - top };
    return [
      element('rect', { class: `${colour(placed.index)} grid`, ...size }),
      text(x + MAP_WIDTH / 2 + 8, y, exact(placed.filters), { className: 'quiet' }),
    ];
  });
}

function place(spec: PyConvSpec, cell: number): PlacedLevel[] {
  let top = HEADER;
  return spec.levels.map((level, index) => {
    const height = Math.max(level.kernelSize * cell, LEAST_ROW);
    const placed = { level, index, filters: level.channels.end - level.channels.start, top, height };
    top += height + ROW_GAP;
    return placed;
  });
}

/** The levels in a sentence each, for those who cannot see the figure. */
function describe({ levels, input, output }: PyConvSpec): string {
  const list = levels.map(
    ({ kernelSize, groups, channels }, i) =>
      `level ${i + 1}: ${plural(channels.end - channels.start, 'filter')} of ${kernelSize}×${kernelSize} in ${plural(groups, 'group')}`,
  );
  return `${plural(input.channels, 'input channel')} pass through ${plural(levels.length, 'level')} side by side, whose outputs are concatenated to ${plural(output.channels, 'channel')}. ${list.join('; ')}.`;
}

/** What the whole costs, beside an ordinary convolution of the first level's kernel. */
function costText(spec: PyConvSpec): string {
  const { parameters, macs } = countPyConv(spec);
  const kernelSize = spec.levels[0]?.kernelSize ?? 1;
  const dense = kernelSize ** 2 * spec.input.channels * spec.output.channels;
  return `Together ${exact(parameters)} parameters and ${macsText(macs)} for one image, without biases: ${(parameters / dense).toFixed(2)} of an ordinary ${kernelSize}×${kernelSize} convolution (${exact(dense)} parameters).`;
}

/** Strides and dilations where they are not 1. */
function geometryText({ strides, dilations }: PyConvSpec): string {
  const named = [
    ['stride', strides],
    ['dilation', dilations],
  ] as const;
  return named.map(([name, [a, b]]) => (a === 1 && b === 1 ? '' : `, ${name} ${a === b ? a : `${a}×${b}`}`)).join('');
}

/**
 * Draws a pyramidal convolution: the input, for each level its kernel, its groups and its filters, and the concatenated
 * output.
 *
 * @param spec Fully resolved, as the op and the layer compute it; of any number of levels.
 * @param options `title`.
 * @returns An SVG document for light and dark pages and print, which needs no font and no other file.
 *
 * @example
 * ```ts
 * import { figures, layers } from 'pyconvunet';
 *
 * const spec = layers.pyConv2d({ filters: 64 }).spec([1, 128, 128, 64]);
 * console.log(figures.pyConvFigure(spec).startsWith('<svg')); // true
 * ```
 */
export function pyConvFigure(spec: PyConvSpec, options: PyConvFigureOptions = {}): string {
  const { title = 'Pyramidal convolution' } = options;
  const { input, output } = spec;
  const cell = Math.min(CELL, KERNEL / Math.max(...spec.levels.map(({ kernelSize }) => kernelSize)));
  const levels = place(spec, cell);
  const last = levels.at(-1);
  const bottom = last === undefined ? HEADER : last.top + last.height;
  const centre = (HEADER + bottom) / 2;
  const inputHeight = Math.min(130, bottom - HEADER - 8);
  const subtitle = `${plural(levels.length, 'level')}, ${exact(input.channels)} → ${exact(output.channels)} channels${geometryText(spec)}`;
  const heading = (x: number, words: string) => text(x, HEADER - 16, words, { anchor: 'middle', className: 'quiet' });
  const inputLabels = [plural(input.channels, 'map'), sizeText([input.height, input.width])];
  const outputLabels = [plural(output.channels, 'map'), sizeText([output.height, output.width])];
  const labelX = (x: number, words: string) => Math.max(x, MARGIN + textWidth(words) / 2);
  const outputX = COLUMNS.output + MAP_WIDTH / 2;
  const notes = wrap(costText(spec), WIDTH - 2 * MARGIN);
  const notesTop = bottom + 2 * LINE + 30;
  return figure(
    { width: WIDTH, height: notesTop + (notes.length - 1) * LINE + MARGIN },
    { title, description: describe(spec) },
    [
      text(MARGIN, 28, title, { className: 'title' }),
      text(MARGIN, 48, subtitle, { className: 'quiet' }),
      heading(COLUMNS.input + MAP_WIDTH / 2 - 4, 'input'),
      heading(COLUMNS.kernel, 'kernel'),
      heading(COLUMNS.groups + GROUPS_WIDTH / 2, 'groups: channels to filters'),
      heading(outputX, 'concatenated'),
      ...pile(COLUMNS.input, centre - inputHeight / 2, inputHeight, 'end'),
      ...inputLabels.map((line, i) => {
        const x = labelX(COLUMNS.input + MAP_WIDTH / 2 - 4, line);
        return text(x, centre + inputHeight / 2 + 24 + i * LINE, line, { anchor: 'middle', className: 'quiet' });
      }),
      ...levels.map((placed) => levelMarkup(placed, spec, cell, centre)),
      ...outputMarkup(levels),
      ...outputLabels.map((line, i) =>
        text(outputX, bottom + 22 + i * LINE, line, { anchor: 'middle', className: 'quiet' }),
      ),
      ...notes.map((line, i) => text(MARGIN, notesTop + i * LINE, line, { className: 'quiet' })),
    ],
  );
}
