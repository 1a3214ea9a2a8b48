/** Curves over epochs: a bold line a series, its mean over runs, and each run as a thin one. */
import { type ChartOptions, draw } from './draw.js';
import { seriesStyle } from './styles.js';

/** What one network did over its epochs. */
export interface HistorySeries {
  readonly name: string;
  /** One list of values for each run (seed, fold), the first epoch first; a value that is not finite is left out. */
  readonly runs: readonly (readonly number[])[];
  /** The index of its look, so that a network has the same one in every chart. Default: its place in the list. */
  readonly style?: number;
}

/** What {@link historyChart} draws. */
export interface HistoryChartOptions extends ChartOptions {
  /** Of the vertical axis. */
  readonly label: string;
  readonly series: readonly HistorySeries[];
  /** `score`: from below the smallest value to 1. `loss`: from 0, by powers of ten where one value dwarfs the others. */
  readonly scale: 'loss' | 'score';
}

interface Point {
  readonly epoch: number;
  readonly value: number;
}

const WIDTH = 380;
const HEIGHT = 250;
/** So many symbols a line at most, or they would hide it. */
const SYMBOLS = 6;
/** From this ratio of the largest to the median value on, a linear axis shows nothing of most curves. */
const DWARFED = 12;

const points = (values: readonly number[]): Point[] =>
  values.flatMap((value, i) => (Number.isFinite(value) ? [{ epoch: i + 1, value }] : []));

/** The mean of every epoch over the runs that have it. */
function meanOf(runs: readonly (readonly number[])[]): Point[] {
  const epochs = Math.max(0, ...runs.map((run) => run.length));
  return Array.from({ length: epochs }, (_, i) => {
    const values = runs.flatMap((run) => (i < run.length && Number.isFinite(run[i]) ? [run[i] ?? 0] : []));
    return { epoch: i + 1, value: values.reduce((sum, value) => sum + value, 0) / values.length };
  }).filter(({ value }) => Number.isFinite(value));
}

/** The points of a line that carry its symbol: the last one and some before, at other epochs than those of its neighbours. */
function marked(line: readonly Point[], index: number, count: number): Point[] {
  const last = line.at(-1);
  if (last === undefined) return [];
  if (line.length <= SYMBOLS) return [...line];
  const step = Math.ceil(line.length / SYMBOLS);
  const shift = Math.round((index / count) * step);
  return line.filter(
    (point, i) => point === last || ((i + shift) % step === 0 && last.epoch - point.epoch >= step / 2),
  );
}

const short = (value: number): string => value.toFixed(3);

function describe(series: readonly (HistorySeries & { readonly mean: readonly Point[] })[]): string {
  const sentences = series.flatMap(({ name, mean }) => {
    const [first, last] = [mean[0], mean.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [
      `${name} from ${short(first.value)} at epoch ${first.epoch} to ${short(last.value)} at epoch ${last.epoch}`,
    ];
  });
  return sentences.length === 0 ? 'No epoch has ended.' : `${sentences.join('; ')}.`;
}

/** Where the vertical axis begins and ends. */
function verticalScale(values: readonly number[], kind: 'loss' | 'score') {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[0] ?? 0;
  const high = sorted.at(-1) ?? 1;
  if (kind === 'score') return { domain: [low >= 0.9 ? 0.9 : Math.floor(low * 5) / 5, Math.max(1, high)] };
  const median = sorted[Math.floor(sorted.length / 2)] ?? 1;
  if (low > 0 && high > DWARFED * median) return { type: 'log', domain: [low, high], nice: true } as const;
  return { domain: [Math.min(0, low), high > 0 ? high : 1], nice: true };
}

/**
 * Draws curves over epochs, as Fig. 2 and Fig. 3 of Li, Fan, Cai 2021.
 *
 * @param options The series with their runs, what the axis is called and how it is scaled.
 * @returns An SVG element as text, well-formed XML with role `img` and a name.
 *
 * @example
 * ```ts
 * import { historyChart } from './historyChart.js';
 *
 * const svg = await historyChart({
 *   title: 'Training loss', label: 'Loss', scale: 'loss', standalone: true,
 *   series: [{ name: 'U-Net', runs: [[0.7, 0.5, 0.4]] }],
 * });
 * ```
 */
export async function historyChart(options: HistoryChartOptions): Promise<string> {
  const { title, label, scale, standalone = false } = options;
  const series = options.series.map((each, index) => ({
    ...each,
    index,
    style: each.style ?? index,
    mean: meanOf(each.runs),
  }));
  const values = series.flatMap(({ runs }) => runs.flatMap((run) => points(run).map(({ value }) => value)));
  const epochs = Math.max(1, ...series.map(({ mean }) => mean.at(-1)?.epoch ?? 1));
  const vertical = verticalScale(values, scale);
  const isLog = 'type' in vertical;
  return draw({
    title,
    standalone,
    description: describe(series),
    width: WIDTH,
    height: HEIGHT,
    legend: series.map(({ name, style }) => ({ name, style })),
    plot: (plot) => ({
      marginLeft: 44,
      marginRight: 14,
      marginTop: 26,
      marginBottom: 34,
      style: { fontSize: '11px' },
      x: {
        domain: epochs === 1 ? [0.5, 1.5] : [1, epochs],
        label: 'Epoch',
        ticks: Array.from({ length: epochs }, (_, i) => i + 1).filter(
          (epoch) => epochs <= 10 || epoch === 1 || epoch % (5 * Math.ceil(epochs / 50)) === 0,
        ),
        tickFormat: (epoch: number) => String(epoch),
        labelAnchor: 'right',
      },
      y: {
        ...vertical,
        label: isLog ? `${label} (logarithmic)` : label,
        grid: true,
        ticks: 5,
        ...(isLog ? {} : { tickFormat: (value: number) => String(Math.round(value * 1000) / 1000) }),
      },
      marks: [
        ...(values.length === 0 ? [plot.text(['No epoch has ended.'], { frameAnchor: 'middle' })] : []),
        ...series.flatMap(({ runs, style }) =>
          runs.length < 2
            ? []
            : runs.map((run) =>
                plot.line(points(run), {
                  x: 'epoch',
                  y: 'value',
                  stroke: seriesStyle(style).colour,
                  strokeWidth: 0.8,
                  strokeOpacity: 0.45,
                }),
              ),
        ),
        ...series.flatMap(({ mean, style, index }) => {
          const { colour, symbol, dash } = seriesStyle(style);
          return [
            plot.line(mean, {
              x: 'epoch',
              y: 'value',
              stroke: colour,
              strokeWidth: 2,
              ...(dash === undefined ? {} : { strokeDasharray: dash }),
            }),
            plot.dot(marked(mean, index, series.length), {
              x: 'epoch',
              y: 'value',
              fill: colour,
              symbol,
              r: 3.6,
            }),
          ];
        }),
      ],
    }),
  });
}
