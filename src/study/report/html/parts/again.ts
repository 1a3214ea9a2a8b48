/** What runs the study again: command, configuration, versions, machine. */
import type { StudyReport } from '../../../schemas.js';
import { machineText } from '../machineText.js';
import { html } from '../markup.js';
import type { Part } from './part.js';

/** JSON whose lists of numbers and names stand on one line each; a line break is never part of a JSON string. */
const written = (config: StudyReport['config']): string =>
  JSON.stringify(config, null, 2).replace(/\[\n([^[\]{}]*)\n\s*\]/g, (_, items: string) => {
    const list = items.split('\n').map((item) => item.trim());
    return `[${list.join(' ')}]`;
  });

/** The part. */
export function againPart({ command, config, versions, machines }: StudyReport): Part {
  return {
    id: 'again',
    short: 'Run it again',
    title: 'How to run it again',
    content: html`<pre tabindex="0" role="region" aria-label="Command"><code>${command}</code></pre>
<p>with the configuration below as <code>study.json</code>; sources that are folders stand there without their path.</p>
<details>
<summary>Configuration (study.json)</summary>
<pre tabindex="0" role="region" aria-label="Configuration"><code>${written(config)}</code></pre>
</details>
<h3>Versions</h3>
<dl class="facts">
${Object.entries(versions).map(
  ([name, version]) => html`<dt>${name}</dt><dd>${version}</dd>
`,
)}</dl>
<h3>Where it ran</h3>
<ul class="text">${machines.map((machine) => html`<li>${machineText(machine)}</li>`)}</ul>
`,
  };
}
