/** Small pieces of HTML for cells. */
import { html, type Markup } from '../study/report/html/markup.js';
import { pngUri } from '../study/report/html/pngUri.js';

/** A table whose first column names its rows. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): Markup {
  const row = ([name = '', ...values]: readonly string[]) =>
    html`<tr><th scope="row" style="text-align: left">${name}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`;
  const columns = head.map((name) => html`<th scope="col">${name}</th>`);
  return html`<table><caption style="text-align: left; white-space: nowrap">${caption}</caption><thead><tr>${columns}</tr></thead><tbody>${rows.map(row)}</tbody></table>`;
}

/** Small pictures are enlarged without smoothing, so that pixels stay pixels. */
const SHOWN_WIDTH = 320;

/** RGB pixels with their caption. */
export function picture(data: Uint8Array, [width, height]: readonly [number, number], caption: string): Markup {
  const style = `width: ${Math.max(width, SHOWN_WIDTH)}px; max-width: 100%; image-rendering: pixelated`;
  const source = pngUri({ width, height, channels: 3, data });
  return html`<figure style="margin: 0; display: inline-block"><img src="${source}" alt="${caption}" style="${style}"><figcaption>${caption}</figcaption></figure>`;
}
