/** A dot per case: the Dice of every image by every network. */
import { casesChart } from '../../../../charts/index.js';
import type { StudyReport } from '../../../schemas.js';
import { html, trusted } from '../markup.js';
import { networkStyle, networkTitle } from '../networks.js';
import { diceByImage, partTitle, shownPart } from '../scored.js';
import type { Part } from './part.js';

/** The part. */
export async function casesPart(report: StudyReport): Promise<Part> {
  const { config, datasets } = report;
  const charts = await Promise.all(
    datasets.map(async ({ name }) => {
      const svg = await casesChart({
        title: `Dice of every image of ${name}`,
        label: 'Dice',
        series: config.models.map((model) => ({
          name: networkTitle(model),
          style: networkStyle(model),
          values: [...diceByImage(report, name, model).values()].flatMap((dice) => dice ?? []),
        })),
      });
      return html`<div><p class="title">${name}</p>${trusted(svg)}</div>
`;
    }),
  );
  const where = [...new Set(datasets.map(({ name }) => partTitle(shownPart(report, name))))].join(' or ');
  return {
    id: 'cases',
    short: 'Cases',
    title: 'A dot per case',
    content: html`<figure>
<div class="charts">
${charts}</div>
<figcaption>Dice of every image, ${where}${config.seeds.length > 1 ? ', mean over seeds' : ''}: one mark each, moved up and down only so that none hides another. Below them: median (bar) and mean (hollow diamond). The horizontal axes begin below the smallest value, not all at 0.</figcaption>
</figure>
`,
  };
}
