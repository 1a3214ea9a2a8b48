/** Fig. 2 and Fig. 3: curves over the epochs, a small chart for each data set. */
import { historyChart, legendSample } from '../../../../charts/index.js';
import type { RunResult, StudyReport } from '../../../schemas.js';
import { html, type Markup, trusted } from '../markup.js';
import { networkStyle, networkTitle } from '../networks.js';
import type { Part } from './part.js';

type Curve = keyof RunResult['history'];

/** What all charts of one measure share. */
interface Measure {
  readonly curve: Curve;
  readonly label: string;
  readonly scale: 'loss' | 'score';
}

/** Which look is which network's. */
export async function legend({ config }: StudyReport): Promise<Markup> {
  const entries = await Promise.all(
    config.models.map(
      async (model) => html`<li>${trusted(await legendSample(networkStyle(model)))}${networkTitle(model)}</li>
`,
    ),
  );
  return html`<ul class="legend" aria-label="Networks">
${entries}</ul>
`;
}

/** One chart for each data set. */
async function charts({ config, datasets, runs }: StudyReport, { curve, label, scale }: Measure): Promise<Markup> {
  const drawn = await Promise.all(
    datasets.map(async ({ name }) => {
      const svg = await historyChart({
        title: `${label} on ${name}`,
        label,
        scale,
        series: config.models.map((model) => ({
          name: networkTitle(model),
          style: networkStyle(model),
          runs: runs.filter((run) => run.dataset === name && run.model === model).map((run) => run.history[curve]),
        })),
      });
      return html`<div><p class="title">${name}</p>${trusted(svg)}</div>
`;
    }),
  );
  return html`<div class="charts">
${drawn}</div>
`;
}

/** What the lines are. */
function lines({ config }: StudyReport): string {
  const several = config.seeds.length * (config.folds ?? 1) > 1;
  const runs = config.folds === null ? 'seeds' : config.seeds.length > 1 ? 'seeds and folds' : 'folds';
  return several ? ` Bold: the mean over ${runs}; thin: each run.` : '';
}

/** Fig. 2. */
export async function lossesPart(report: StudyReport): Promise<Part> {
  const measure = { curve: 'loss', label: 'Training loss', scale: 'loss' } as const;
  const deep = report.config.deepSupervision && report.config.models.includes('unet++');
  return {
    id: 'fig-2',
    short: 'Fig. 2',
    title: 'Fig. 2. Training losses',
    content: html`<figure>
${await legend(report)}${await charts(report, measure)}<figcaption><b>Fig. 2.</b> Training loss (${report.config.loss}) per epoch: the mean over the epoch’s batches.${lines(report)}${deep ? ' The loss of UNet++ is the mean over the losses of its heads.' : ''} Each chart has its own scale.</figcaption>
</figure>
`,
  };
}

/** Fig. 3. */
export async function scoresPerEpochPart(report: StudyReport): Promise<Part> {
  const meanIoU = await charts(report, { curve: 'valMeanIoU', label: 'MIoU', scale: 'score' });
  const dice = await charts(report, { curve: 'valDice', label: 'Dice', scale: 'score' });
  return {
    id: 'fig-3',
    short: 'Fig. 3',
    title: 'Fig. 3. MIoU and Dice per epoch',
    content: html`<figure>
${await legend(report)}<h3>MIoU</h3>
${meanIoU}<h3>Dice</h3>
${dice}<figcaption><b>Fig. 3.</b> MIoU and Dice of the validation part after every epoch, over the whole part.${lines(report)} The vertical axes begin below the smallest value, not all at 0.</figcaption>
</figure>
`,
  };
}
