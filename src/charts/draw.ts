/** Draws marks by Observable Plot as one SVG with its name, its legend and, where it stands alone, its style. */
import type * as Plot from '@observablehq/plot';
import { chartDocument } from './dom.js';
import { type LegendEntry, legendMarkup } from './legend.js';
import { element, escapeXml, innerMarkup } from './markup.js';
import { CHART_CLASS, chartRules } from './styles.js';

/** What every chart may be told. */
export interface ChartOptions {
  /** The chart's name for those who cannot see it. */
  readonly title: string;
  /**
   * Brings its own style, paper, heading and legend, for a notebook's cell or a file. Default false: the page around it
   * gives `chartRules()` and a legend.
   */
  readonly standalone?: boolean;
}

/** Observable Plot, loaded when the first chart is drawn. */
export type PlotModule = typeof Plot;

/** Room around a chart that stands alone, in the chart's units. */
const MARGIN = 12;
const HEADING = 26;

/** What a chart gives to be drawn. */
export interface Drawing extends ChartOptions {
  /** What the chart shows, in a sentence. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly legend: readonly LegendEntry[];
  readonly plot: (plot: PlotModule) => Plot.PlotOptions;
}

/** The chart as an SVG element's text. */
export async function draw(drawing: Drawing): Promise<string> {
  const { title, description, width, height, legend, standalone = false } = drawing;
  const plot = await import('@observablehq/plot');
  const document = await chartDocument();
  const drawn = plot.plot({ ...drawing.plot(plot), width, height, document });
  const svg = {
    xmlns: 'http://www.w3.org/2000/svg',
    class: CHART_CLASS,
    role: 'img',
    'aria-label': `${title}. ${description}`,
    fill: 'currentColor',
    'text-anchor': 'middle',
  };
  if (!standalone)
    return element('svg', { ...svg, viewBox: `0 0 ${width} ${height}`, width, height }, innerMarkup(drawn));
  const key = await legendMarkup(legend, width);
  const size = { width: width + 2 * MARGIN, height: HEADING + height + key.height + 2 * MARGIN };
  return element(
    'svg',
    { ...svg, viewBox: `0 0 ${size.width} ${size.height}`, ...size },
    element('style', {}, chartRules({ standalone })),
    element('rect', { width: '100%', height: '100%', fill: 'var(--pyconvunet-paper)' }),
    element(
      'text',
      { x: MARGIN, y: MARGIN + 12, 'text-anchor': 'start', 'font-size': 14, 'font-weight': 600 },
      escapeXml(title),
    ),
    element('g', { transform: `translate(${MARGIN},${MARGIN + HEADING})` }, innerMarkup(drawn)),
    element('g', { transform: `translate(${MARGIN},${MARGIN + HEADING + height})` }, key.markup),
  );
}
