/** A pyramidal convolution as a figure (Fig. 1 of Li, Fan, Cai 2021, after Duta et al. 2020), drawn from its specification. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { complexity } from '../complexity/index.js';
import { PyConv2D } from '../layers/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { countPyConv, type PyConvLevel, type PyConvSpec } from '../spec/index.js';
import { arrow } from './arrows.js';
import { exact, macsText, sizeText } from './numbers.js';
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
/** Where the parts of a level stand, from left to right. */
const COLUMNS = { input: 44, kernel: 190, groups: 262, words: 474, output: 764 } as const;
const GROUPS_WIDTH = 176;
const MAP_WIDTH = 40;
const LEVEL_COLOURS = 4;

interface PlacedLevel {
  readonly level: PyConvLevel;
  readonly index: number;
  readonly filters: number;
  readonly top: number;
  readonly height: number;
}

const colour = (index: number): string => `level${index % LEVEL_COLOURS}`;
const plural = (count: number, word: string): string => `${exact(count)} ${word}${count === 1 ? '' : 's'}`;
const middle = ({ top, height }: PlacedLevel): number => top + height / 2;

/** The kernel as a grid, all levels in one scale. */
function kernelMarkup(placed: PlacedLevel, cell: number): Markup {
  const { kernelSize } = placed.level;
  const side = kernelSize * cell;
  const [x, y] = [COLUMNS.kernel - side / 2, middle(placed) - side / 2];
  const steps = Array.from({ length: kernelSize - 1 }, (_, i) => (i + 1) * cell);
  // Lines closer than this would be a grey area.
  const lines = cell < 5 ? [] : steps.flatMap((d) => [`M${x + d} ${y}v${side}`, `M${x} ${y + d}h${side}`]);
  return element(
    'g',
    {},
    element('rect', { class: `${colour(placed.index)} grid`, x, y, width: side, height: side, rx: 1 }),
    ...(lines.length === 0 ? [] : [element('path', { class: 'grid', fill: 'none', d: lines.join('') })]),
  );
}

/** Input channels above, filters below, both cut into groups; lines show which filters see which channels. */
function groupsMarkup(placed: PlacedLevel): Markup {
  const { groups } = placed.level;
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
    return `M${left.toFixed(1)} ${above + height}L${(left + inset).toFixed(1)} ${below}H${(right - inset).toFixed(1)}L${right.toFixed(1)} ${above + height}Z`;
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

function levelMarkup(placed: PlacedLevel, spec: PyConvSpec, cell: number, from: number): Markup {
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

/** Options of {@link pyConvSpecOf}. */
export interface PyConvSpecOptions {
  /** [height, width, channels] of one image. Default the model's own, where all three are fixed. */
  readonly inputShape?: readonly number[];
  /** Name of the layer. Default the first pyramidal convolution of several levels. */
  readonly layer?: string;
}

/**
 * A pyramidal convolution of a network, resolved for an image.
 *
 * @param model A network with pyramidal convolutions.
 * @param options `inputShape`: [height, width, channels] of one image; `layer`: its name.
 * @returns The specification that {@link pyConvFigure} draws.
 * @throws InvalidArgumentError where the model has no such layer, or the input shape is missing or does not fit.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { figures, models } from 'pyconvunet';
 *
 * const model = models.pyConvUNet({ widths: [32, 64] });
 * const spec = figures.pyConvSpecOf(model, { inputShape: [64, 64, 3], layer: 'encoder2/pyconv' });
 * console.log(spec.input.height, spec.levels.length); // 32 4
 * ```
 */
export function pyConvSpecOf(model: tfl.LayersModel, options: PyConvSpecOptions = {}): PyConvSpec {
  const { inputShape, layer: name } = options;
  const { layers } = complexity(model, inputShape === undefined ? {} : { inputShape });
  const heightsAndWidths = new Map(layers.map((row) => [row.name, row.outputShape]));
  const specs = new Map<string, PyConvSpec>();
  for (const layer of model.layers) {
    const source = layer instanceof PyConv2D && !Array.isArray(layer.input) ? layer.input.sourceLayer.name : undefined;
    const [height, width, channels] = (source === undefined ? undefined : heightsAndWidths.get(source)) ?? [];
    if (!(layer instanceof PyConv2D) || height === undefined || width === undefined || channels === undefined) continue;
    const spec = layer.spec([1, height, width, channels]);
    if (spec.levels.length > 1) specs.set(layer.name, spec);
  }
  const [first] = specs.values();
  if (first === undefined) {
    throw new InvalidArgumentError(
      `The model '${model.name}' has no pyramidal convolution of several levels to draw. Draw its network, or choose pyconvunet.`,
    );
  }
  if (name === undefined) return first;
  const spec = specs.get(name);
  if (spec === undefined) {
    throw new InvalidArgumentError(
      `The model '${model.name}' has no pyramidal convolution '${name}'. It has ${[...specs.keys()].join(', ')}.`,
    );
  }
  return spec;
}
