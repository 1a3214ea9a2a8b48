/** One part of the report: a section with its heading, which the contents list links to. */
import { type Content, html, type Markup } from '../markup.js';

/** A part. */
export interface Part {
  /** Unique in the page. */
  readonly id: string;
  /** In the list of contents. */
  readonly short: string;
  readonly title: string;
  readonly content: Content;
}

/** The section. */
export const section = ({ id, title, content }: Part): Markup => html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}</section>
`;
