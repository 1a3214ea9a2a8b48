/** How every figure looks: fonts, colours for light, dark and print, and how wide its texts are. */
import { element, type Markup } from './svg.js';

/** Size of ordinary text, in the figure's units. */
export const FONT_SIZE = 14;
/** From one line of text to the next. */
export const LINE = 17;

/**
 * Colours by what they mean, light and dark. The hues are those of Okabe and Ito, told apart by the colour-blind; dashes,
 * places and labels say the same once more.
 */
const COLOURS: readonly (readonly [selector: string, light: string, dark: string])[] = [
  ['', 'color:#1c2127', 'color:#e8ebee'],
  [' .paper', 'fill:#fff', 'fill:#15191e'],
  [' .quiet', 'fill:#57606a', 'fill:#a5afba'],
  [' .line', 'stroke:#57606a', 'stroke:#a5afba'],
  [' .head', 'fill:#57606a', 'fill:#a5afba'],
  [' .down', 'fill:#cfe4f5;stroke:#1f6fa8', 'fill:#17405f;stroke:#6db7ea'],
  [' .up', 'fill:#fbe2bd;stroke:#a8650a', 'fill:#573a0c;stroke:#eaae51'],
  [' .side', 'fill:#eadcef;stroke:#82508f', 'fill:#48304f;stroke:#cf9bdd'],
  [' .end', 'fill:#e6e9ec;stroke:#57606a', 'fill:#343b43;stroke:#a5afba'],
  [' .concatenated .line', 'stroke:#0072b2', 'stroke:#56b4e9'],
  [' .concatenated .head', 'fill:#0072b2', 'fill:#56b4e9'],
  [' .added .line', 'stroke:#d55e00', 'stroke:#f0944d'],
  [' .added .head', 'fill:#d55e00', 'fill:#f0944d'],
  [' .gated .line', 'stroke:#a0457f', 'stroke:#e097c0'],
  [' .gated .head', 'fill:#a0457f', 'fill:#e097c0'],
  [' .level0', 'fill:#56b4e9', 'fill:#3f93c6'],
  [' .level1', 'fill:#f2b84b', 'fill:#b9821c'],
  [' .level2', 'fill:#3fb894', 'fill:#1f8766'],
  [' .level3', 'fill:#dc9cc1', 'fill:#a65f88'],
  [' .grid', 'stroke:#1c2127', 'stroke:#e8ebee'],
];

const CLASS = 'pyconvunet-figure';

function rules(): string {
  const every = (pick: 1 | 2) => COLOURS.map((row) => `.${CLASS}${row[0]}{${row[pick]}}`).join('');
  const plain = [
    `.${CLASS}{font:${FONT_SIZE}px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}`,
    `.${CLASS} text{fill:currentColor}`,
    `.${CLASS} .name{font-weight:600}`,
    `.${CLASS} .title{font-size:20px;font-weight:600}`,
    `.${CLASS} .line{fill:none;stroke-width:1.8}`,
    `.${CLASS} .added .line{stroke-dasharray:8 4}`,
    `.${CLASS} .gated .line{stroke-dasharray:2 3}`,
    `.${CLASS} .grid{stroke-width:.7}`,
  ].join('');
  // What a renderer does not understand leaves the light colours; paper is always light.
  return `${every(1)}${plain}.${CLASS} text.quiet{fill:#57606a}@media screen and (prefers-color-scheme:dark){${every(2)}.${CLASS} text.quiet{fill:#a5afba}}`;
}

/** What a figure is called and says to those who cannot see it. */
export interface FigureText {
  readonly title: string;
  readonly description: string;
}

/**
 * The whole document around a figure's parts.
 *
 * @param size Width and height in the figure's own units; it is drawn as wide as its place allows, at most in that size.
 */
export function figure(
  { width, height }: { readonly width: number; readonly height: number },
  { title, description }: FigureText,
  children: readonly Markup[],
): string {
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
      width: Math.ceil(width),
      height: Math.ceil(height),
      // Keeps its shape where a page narrows it.
      style: 'max-width:100%;height:auto',
      class: CLASS,
      role: 'img',
    },
    element('title', {}, title),
    element('desc', {}, description),
    element('style', {}, rules()),
    element('rect', { class: 'paper', width: '100%', height: '100%' }),
    ...children,
  );
  return `${root.markup}\n`;
}

/** Shares of the font's size that characters take; wide enough for the fonts that systems have. */
function characterWidth(character: string): number {
  if (/[ilj.,:;'|!]/.test(character)) return 0.32;
  if (/[ ftr()\-·]/.test(character)) return 0.4;
  if (/[mwMW]/.test(character)) return 0.92;
  return /[A-Z]/.test(character) ? 0.72 : 0.61;
}

/** How wide a text will be at most, in the figure's units. */
export function textWidth(text: string, { size = FONT_SIZE, bold = false } = {}): number {
  const shares = [...text].reduce((sum, character) => sum + characterWidth(character), 0);
  return shares * size * (bold ? 1.06 : 1);
}

/** Breaks a text into lines that are not wider than `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && textWidth(`${line} ${word}`) <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** One line of text. */
export function text(
  x: number,
  y: number,
  content: string,
  { className, anchor }: { readonly className?: string; readonly anchor?: 'middle' | 'end' } = {},
): Markup {
  return element('text', { x, y, class: className, 'text-anchor': anchor }, content);
}
