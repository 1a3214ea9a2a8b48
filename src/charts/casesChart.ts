/** A dot per case: a row a network, its median and its mean marked. */
import { type ChartOptions, draw } from './draw.js';
import { seriesStyle } from './styles.js';

/** The scores of one network. */
export interface CasesSeries {
  readonly name: string;
  /** One value a case. */
  readonly values: readonly number[];
  /** The index of its look. Default: its place in the list. */
  readonly style?: number;
}

/** What {@link casesChart} draws. */
export interface CasesChartOptions extends ChartOptions {
  /** Of the horizontal axis. */
  readonly label: string;
  readonly series: readonly CasesSeries[];
}

const WIDTH = 380;
const ROW = 40;
/** Shares of a row's height: the dots are spread over the upper part, median and mean stand in a lane below. */
const DOTS = { from: 0.12, to: 0.58 };
const LANE = { from: 0.62, to: 0.98 };
/** Neighbours by value lie far from each other with steps of this share (the golden ratio's). */
const STEP = 0.6180339887498949;

interface Dot {
  readonly value: number;
  /** In rows, from the top. */
  readonly y: number;
}

/** Dots of a row, moved up and down so that equal values do not hide each other; the same at every drawing. */
function dots(values: readonly number[], row: number): Dot[] {
  return [...values]
    .sort((a, b) => a - b)
    .map((value, i) => ({ value, y: row + DOTS.from + ((i * STEP + 0.5) % 1) * (DOTS.to - DOTS.from) }));
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

function describe(rows: readonly CasesSeries[]): string {
  const sentences = rows.map(({ name, values }) =>
    values.length === 0
      ? `${name}: no case has a value`
      : `${name}: ${values.length} cases, median ${median(values).toFixed(3)}, mean ${mean(values).toFixed(3)}, from ${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`,
  );
  return `${sentences.join('; ')}.`;
}

/**
 * Draws a dot for every case of every network, and below the dots the median as a bar and the mean as a hollow diamond.
 *
 * @param options The networks with their scores, all in [0, 1].
 * @returns An SVG element as text, well-formed XML with role `img` and a name.
 *
 * @example
 * ```ts
 * import { casesChart } from './casesChart.js';
 *
 * const svg = await casesChart({
 *   title: 'Dice of every image', label: 'Dice', series: [{ name: 'U-Net', values: [0.8, 0.9, 0.95] }],
 * });
 * ```
 */
export async function casesChart(options: CasesChartOptions): Promise<string> {
  const { title, label, standalone = false } = options;
  const rows = options.series.map(({ name, values, style }, row) => ({
    name,
    row,
    style: style ?? row,
    values: values.filter(Number.isFinite),
  }));
  const all = rows.flatMap(({ values }) => values);
  const low = Math.min(0.9, Math.floor(Math.min(1, ...all) * 10) / 10);
  const height = rows.length * ROW + 24 + 34;
  return draw({
    title,
    standalone,
    description: describe(rows),
    width: WIDTH,
    height,
    legend: [],
    plot: (plot) => ({
      marginLeft: 12 + Math.max(40, ...rows.map(({ name }) => Math.min(120, name.length * 6.4))),
      marginRight: 14,
      marginTop: 24,
      marginBottom: 34,
      style: { fontSize: '11px' },
      x: { domain: [low, 1], label, grid: true, ticks: 5, labelAnchor: 'right' },
      y: { domain: [0, Math.max(1, rows.length)], reverse: true, axis: null },
      marks: [
        plot.ruleY(
          rows.slice(1).map(({ row }) => row),
          { stroke: 'currentColor', strokeOpacity: 0.12 },
        ),
        plot.text(rows, {
          x: () => low,
          y: ({ row }: { row: number }) => row + 0.5,
          text: 'name',
          textAnchor: 'end',
          dx: -8,
        }),
        ...rows.flatMap(({ values, row, style }) => {
          if (values.length === 0) return [];
          const { colour, symbol } = seriesStyle(style);
          return [
            plot.dot(dots(values, row), { x: 'value', y: 'y', fill: colour, fillOpacity: 0.9, symbol, r: 3.2 }),
            plot.ruleX([median(values)], {
              y1: row + LANE.from,
              y2: row + LANE.to,
              stroke: 'currentColor',
              strokeWidth: 2,
            }),
            plot.dot([mean(values)], {
              x: (value: number) => value,
              y: () => row + (LANE.from + LANE.to) / 2,
              symbol: 'diamond',
              r: 3.1,
              stroke: 'currentColor',
              strokeWidth: 1.4,
            }),
          ];
        }),
      ],
    }),
  });
}
