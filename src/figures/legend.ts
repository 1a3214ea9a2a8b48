/** The key below a figure: samples of boxes and arrows with words, line after line. */
import { arrow } from './arrows.js';
import { element, type Markup } from './svg.js';
import { LINE, text, textWidth, wrap } from './theme.js';

/** A sample and what it means. */
export interface LegendEntry {
  readonly sample: 'box' | 'arrow';
  readonly className: string;
  readonly words: string;
}

const SAMPLE_WIDTHS = { box: 16, arrow: 34 } as const;
const GAP = 22;
const BEFORE_WORDS = 7;

/**
 * Sets entries side by side as far as the width allows; words that are wider than that are broken.
 *
 * @returns The key, and where it ends.
 */
export function legend(
  entries: readonly LegendEntry[],
  place: { readonly x: number; readonly y: number; readonly width: number },
): { markup: Markup; bottom: number } {
  let [x, y] = [place.x, place.y];
  const parts: Markup[] = [];
  for (const { sample, className, words } of entries) {
    const sampleWidth = SAMPLE_WIDTHS[sample];
    const lines = wrap(words, place.width - sampleWidth - BEFORE_WORDS);
    const entryWidth = sampleWidth + BEFORE_WORDS + Math.max(...lines.map((line) => textWidth(line)));
    if (x > place.x && x + entryWidth > place.x + place.width) [x, y] = [place.x, y + LINE + 4];
    const baseline = y + LINE - 4;
    parts.push(
      sample === 'box'
        ? element('rect', { class: className, x, y: baseline - 11, width: sampleWidth, height: 12, rx: 2.5 })
        : arrow(
            [
              [x, baseline - 5],
              [x + sampleWidth, baseline - 5],
            ],
            { class: className },
          ),
      ...lines.map((line, i) => text(x + sampleWidth + BEFORE_WORDS, baseline + i * LINE, line)),
    );
    x += entryWidth + GAP;
    if (lines.length > 1) [x, y] = [place.x, y + lines.length * LINE + 4];
  }
  const bottom = x > place.x ? y + LINE + 4 : y;
  return { markup: element('g', {}, ...parts), bottom: bottom + 4 };
}
