/** How every number was counted. */
import type { StudyReport } from '../../../schemas.js';
import { html } from '../markup.js';
import type { Part } from './part.js';

/** The part. */
export const definitionsPart = ({ definitions }: StudyReport): Part => ({
  id: 'definitions',
  short: 'How it was counted',
  title: 'How it was counted',
  content: html`<ul class="text">
${definitions.map(
  (each) => html`<li>${each}</li>
`,
)}</ul>
`,
});
