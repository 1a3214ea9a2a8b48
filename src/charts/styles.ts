/** How a series looks: a colour, a symbol and a dash pattern each, so that no one of them has to be seen. */

/** The look of one series. */
export interface SeriesStyle {
  /** A custom property, whose value the theme decides. */
  readonly colour: string;
  /** By Observable Plot's names. */
  readonly symbol: 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'star' | 'wye';
  /** As `stroke-dasharray`; undefined is a whole line. */
  readonly dash: string | undefined;
}

/**
 * Colours of the series, light and dark. Chosen by search for the largest smallest distance (OKLab) between any two of them
 * as seen with full colour vision, protanopia, deuteranopia and tritanopia (Machado et al. 2009), hue by hue the same in
 * both themes, each with a contrast of at least 3:1 to the paper.
 */
export const SERIES_COLOURS: readonly { readonly light: string; readonly dark: string }[] = [
  { light: '#ea5c0d', dark: '#d85500' },
  { light: '#1a2796', dark: '#517cfc' },
  { light: '#1ca18d', dark: '#b2fdcc' },
  { light: '#a461e6', dark: '#a46fa0' },
  { light: '#6b4904', dark: '#eddd08' },
  { light: '#016d81', dark: '#0ac6fe' },
  { light: '#2c201e', dark: '#b1ac99' },
];

/** What charts are drawn on. */
export const PAPER = { light: '#ffffff', dark: '#15191e' } as const;
/** Texts and axes of a chart that stands alone. */
const INK = { light: '#1c2127', dark: '#e8ebee' } as const;

const SYMBOLS: readonly SeriesStyle['symbol'][] = ['circle', 'square', 'triangle', 'diamond', 'cross', 'star', 'wye'];
const DASHES: readonly (string | undefined)[] = [undefined, '7 3', '2 2.5', '9 3 2 3', '4 3', '12 3', '5 2 1 2 1 2'];

/** The class of every chart, which its rules are scoped to. */
export const CHART_CLASS = 'pyconvunet-chart';

const property = (index: number): string => `--pyconvunet-series${index}`;

/**
 * The look of a series.
 *
 * @param index Counted from 0; after seven the colours come again with other symbols.
 */
export function seriesStyle(index: number): SeriesStyle {
  const colour = index % SERIES_COLOURS.length;
  const round = Math.floor(index / SERIES_COLOURS.length);
  return {
    colour: `var(${property(colour)})`,
    symbol: SYMBOLS[(index + round) % SYMBOLS.length] ?? 'circle',
    dash: DASHES[(index + round) % DASHES.length],
  };
}

function properties(theme: 'light' | 'dark'): string {
  const series = SERIES_COLOURS.map((colour, index) => `${property(index)}:${colour[theme]};`).join('');
  return `${series}--pyconvunet-paper:${PAPER[theme]};--pyconvunet-ink:${INK[theme]}`;
}

/**
 * The rules that charts need: colours in both themes (paper is always light), font, and that a chart fits its place.
 *
 * @param options `standalone`: texts take the chart's own ink, else the colour of the text around it.
 */
export function chartRules({ standalone = false }: { readonly standalone?: boolean } = {}): string {
  return [
    `.${CHART_CLASS}{${properties('light')};display:block;max-width:100%;height:auto;font:11px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif${standalone ? ';color:var(--pyconvunet-ink)' : ''}}`,
    `.${CHART_CLASS} text{white-space:pre}`,
    `@media screen and (prefers-color-scheme:dark){.${CHART_CLASS}{${properties('dark')}}}`,
  ].join('');
}
