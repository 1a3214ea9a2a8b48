/** The document around the report's parts: one file that asks nothing of any network. */
import { chartRules } from '../../../charts/index.js';
import { html, type Markup, trusted } from './markup.js';
import { type Part, section } from './parts/part.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

/** What the page is allowed: nothing but what it brings. */
const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The document. */
export function page(title: string, head: Markup, parts: readonly Part[]): string {
  const links = parts.map(
    ({ id, short }) => html`<li><a href="#${id}">${short}</a></li>
`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="pyconvunet">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${trusted(STYLE)}${trusted(chartRules())}</style>
</head>
<body>
<main>
${head}<nav aria-label="Contents"><ul>
${links}</ul></nav>
${parts.map(section)}</main>
<p id="said" class="visually-hidden" role="status"></p>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.markup;
}
