/** What belongs to which series: a sample of its line and symbol beside its name. */
import { chartDocument } from './dom.js';
import { element, escapeXml, innerMarkup } from './markup.js';
import { CHART_CLASS, seriesStyle } from './styles.js';

/** One series of a legend. */
export interface LegendEntry {
  readonly name: string;
  /** The index of `seriesStyle`. */
  readonly style: number;
}

const WIDTH = 38;
const HEIGHT = 14;

/** The sample's inside: a piece of line with its symbol. */
async function sample(index: number, line: boolean): Promise<string> {
  const plot = await import('@observablehq/plot');
  const { colour, symbol, dash } = seriesStyle(index);
  const drawn = plot.plot({
    document: await chartDocument(),
    width: WIDTH,
    height: HEIGHT,
    margin: 0,
    x: { domain: [0, WIDTH], range: [0, WIDTH], axis: null },
    y: { domain: [0, HEIGHT], range: [0, HEIGHT], axis: null },
    marks: [
      ...(line
        ? [
            plot.line(
              [
                [0, HEIGHT / 2],
                [WIDTH, HEIGHT / 2],
              ],
              { stroke: colour, strokeWidth: 2, ...(dash === undefined ? {} : { strokeDasharray: dash }) },
            ),
          ]
        : []),
      plot.dot([[WIDTH / 2, HEIGHT / 2]], { fill: colour, symbol, r: 4 }),
    ],
  });
  return innerMarkup(drawn);
}

/** A sample of a series as an SVG for a legend in HTML; the name stands beside it. */
export async function legendSample(index: number): Promise<string> {
  return element(
    'svg',
    { class: CHART_CLASS, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, 'aria-hidden': 'true' },
    await sample(index, true),
  );
}

const COLUMN = 170;
const ROW = 18;

/** A legend as part of an SVG, in columns; and how high it is. */
export async function legendMarkup(
  entries: readonly LegendEntry[],
  width: number,
): Promise<{ readonly markup: string; readonly height: number }> {
  const columns = Math.max(1, Math.floor(width / COLUMN));
  const items = await Promise.all(
    entries.map(async ({ name, style }, i) => {
      const x = (i % columns) * COLUMN;
      const y = Math.floor(i / columns) * ROW + 4;
      return element(
        'g',
        { transform: `translate(${x},${y})` },
        await sample(style, true),
        element('text', { x: WIDTH + 6, y: HEIGHT / 2, dy: '0.35em', 'text-anchor': 'start' }, escapeXml(name)),
      );
    }),
  );
  return { markup: items.join(''), height: Math.ceil(entries.length / columns) * ROW + (entries.length > 0 ? 4 : 0) };
}
