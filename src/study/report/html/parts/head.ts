/** The report's head: what was run, what it is and is not, where it leaves the paper, and what to beware of. */
import type { StudyReport } from '../../../schemas.js';
import { batchText } from '../batchText.js';
import { html, type Markup } from '../markup.js';
import { networkLabel, networkTitle, withTitles } from '../networks.js';

const plural = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;

/** The definitions that limit what may be concluded. */
const CAVEAT = /optimistic|engineering check|never which network/;

/** The sentences that a reader must meet before the numbers. */
export const caveatsOf = ({ definitions }: StudyReport): string[] => definitions.filter((each) => CAVEAT.test(each));

const PROTOCOLS: Readonly<Record<StudyReport['protocol'], string>> = {
  paper: 'the paper’s',
  quick: 'quick: a small version of the paper’s',
  custom: 'custom',
};

/** The title of the whole page. */
export function titleOf({ config, datasets }: StudyReport): string {
  const [first] = config.models;
  const networks =
    config.models.length === 1 && first !== undefined
      ? networkTitle(first)
      : config.models.includes('pyconvunet')
        ? `PyConvU-Net and ${plural(config.models.length - 1, 'other network')}`
        : plural(config.models.length, 'network');
  return `${networks} on ${plural(datasets.length, 'data set')}: a segmentation study`;
}

function howMany({ config, runs, datasets }: StudyReport): string {
  const folds = config.folds === null ? '' : `, ${config.folds} folds`;
  return `${plural(runs.length, 'run')}: ${plural(config.models.length, 'network')}, ${plural(datasets.length, 'data set')}, ${plural(config.seeds.length, 'seed')}${folds}`;
}

function training({ config }: StudyReport): string {
  const { epochs, loss, learningRate, augment } = config;
  return `${plural(epochs, 'epoch')}, ${batchText(config)}, loss ${loss}, Adam at ${learningRate}, augmentation ${augment}`;
}

/** The head. */
export function head(report: StudyReport): Markup {
  const { protocol, deviations, config, versions, machines } = report;
  const caveats = caveatsOf(report);
  return html`<header>
<h1>${titleOf(report)}</h1>
<p class="lead">The study of Li, Fan and Cai (“${networkLabel('pyconvunet')}: a lightweight and multiscale network for biomedical image segmentation”, BMC Bioinformatics 22:14, 2021) ${deviations.length === 0 ? 'by its protocol' : 'in another size'}: every network trained here with the same recipe, on the same parts, scored on the same images. The parts below carry the paper’s own names.</p>
<dl class="facts">
<dt>Protocol</dt><dd>${PROTOCOLS[protocol]}</dd>
<dt>Runs</dt><dd>${howMany(report)}</dd>
<dt>Networks</dt><dd>${config.models.map((model, i) => [i > 0 ? ', ' : null, networkLabel(model)])}</dd>
<dt>Training</dt><dd>${training(report)}</dd>
<dt>Made with</dt><dd>pyconvunet ${versions.pyconvunet ?? '(version unknown)'} on backend ${[...new Set(machines.map(({ backend }) => backend))].join(', ')}</dd>
</dl>
<p>It is a research report on this data, this recipe and this machine. It is neither a result about other data nor a medical device.</p>
${
  caveats.length === 0
    ? null
    : html`<div class="caveats">
${caveats.map(
  (each) => html`<p>${each}</p>
`,
)}</div>
`
}${
  deviations.length === 0
    ? html`<p>Nothing deviates from the paper’s protocol.</p>
`
    : html`<h2>Deviations from the paper’s protocol</h2>
<ul class="text">
${deviations.map(
  (each) => html`<li>${withTitles(each)}</li>
`,
)}</ul>
`
}</header>
`;
}
