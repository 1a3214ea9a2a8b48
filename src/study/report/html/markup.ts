/** HTML as text in which everything that is not markup by construction is escaped. */

/** Markup; every other string is text. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a template: markup, text, numbers, lists of them; null and undefined leave nothing. */
export type Content = Markup | string | number | null | undefined | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

const isMarkup = (content: object): content is Markup => 'markup' in content;

function written(content: Content): string {
  if (content === null || content === undefined) return '';
  if (typeof content !== 'object') return escaped(String(content));
  return isMarkup(content) ? content.markup : content.map(written).join('');
}

/** A template: what is put into it is text, in elements as in quoted attributes, unless it is markup. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return { markup: parts.map((part, i) => part + (i < contents.length ? written(contents[i]) : '')).join('') };
}

/** Markup that was made elsewhere and escapes its own names, such as a chart. */
export const trusted = (markup: string): Markup => ({ markup });
