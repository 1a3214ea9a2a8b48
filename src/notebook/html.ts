/** Small pieces of HTML for cells. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as HTML shows it. */
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);

/** A table whose first column names its rows. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = ([name = '', ...values]: readonly string[]) =>
    `<tr><th scope="row" style="text-align: left">${escapeHtml(name)}</th>${values.map((value) => `<td>${escapeHtml(value)}</td>`).join('')}</tr>`;
  return [
    `<table><caption style="text-align: left; white-space: nowrap">${escapeHtml(caption)}</caption>`,
    `<thead><tr>${head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.map(cells).join('')}</tbody></table>`,
  ].join('');
}

const bytesToBase64 = (bytes: Uint8Array): string => {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
};

/** Small pictures are enlarged without smoothing, so that pixels stay pixels. */
const SHOWN_WIDTH = 320;

/** A PNG with its caption. */
export function picture(png: Uint8Array, width: number, caption: string): string {
  const text = escapeHtml(caption);
  const shown = Math.max(width, SHOWN_WIDTH);
  return `<figure style="margin: 0; display: inline-block"><img src="data:image/png;base64,${bytesToBase64(png)}" alt="${text}" style="width: ${shown}px; max-width: 100%; image-rendering: pixelated"><figcaption>${text}</figcaption></figure>`;
}
