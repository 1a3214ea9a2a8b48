/** Fig. 4: image, mask and every network's prediction, with the true contour and the area of largest disagreement. */
import type { Box, FigureCase } from '../../figure4.js';
import { html, type Markup } from '../markup.js';
import { networkTitle } from '../networks.js';
import { score } from '../numbers.js';
import { imageUri, maskUri, predictionUri, type Shown, shownImage, shownMask } from '../pictures.js';
import type { Part } from './part.js';

/** Below this side a picture is shown enlarged, its pixels as squares. */
const SMALL = 200;

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)}%`;

/** The marked area over a picture, by shares of its sides. */
function area(marked: Box | null, { width, height, factor }: Shown): Markup | null {
  if (marked === null) return null;
  const across = width * factor;
  const down = height * factor;
  const style = `left:${percent(marked.x, across)};top:${percent(marked.y, down)};width:${percent(marked.width, across)};height:${percent(marked.height, down)}`;
  return html`<i style="${style}"></i>`;
}

function picture(uri: string, alt: string, marked: Box | null, shown: Shown): Markup {
  const { width, height } = shown;
  const small = Math.max(width, height) < SMALL ? ' small' : '';
  return html`<span class="picture${small}"><img src="${uri}" alt="${alt}" width="${width}" height="${height}">${area(marked, shown)}</span>`;
}

function oneCase({ dataset, sample, reason, predictions, marked }: FigureCase): Markup {
  const shown = shownImage(sample);
  const truth = shownMask(sample.mask, sample, shown.factor);
  const of = `${sample.name} of ${dataset}`;
  const cells = predictions.map(({ model, mask, dice }) => {
    const uri = predictionUri(shown, shownMask(mask, sample, shown.factor), truth);
    const title = networkTitle(model);
    return html`<li>${picture(uri, `Prediction of ${title} for ${of}`, marked, shown)}<span class="name">${title}</span><span class="score">Dice ${score(dice)}</span></li>
`;
  });
  return html`<div class="case">
<p class="title">${dataset}, ${sample.name}: ${reason}</p>
<ul class="cells">
<li>${picture(imageUri(shown), `Image ${of}`, marked, shown)}<span class="name">Image</span></li>
<li>${picture(maskUri(shown, truth), `True mask of ${of}`, marked, shown)}<span class="name">Mask</span></li>
${cells}</ul>
</div>
`;
}

/** The part. */
export function predictionsPart(figures: readonly FigureCase[]): Part {
  const reduced = figures.some(({ sample: { width, height } }) => Math.max(width, height) > 256);
  return {
    id: 'fig-4',
    short: 'Fig. 4',
    title: 'Fig. 4. Predictions',
    content: html`<figure>
<ul class="legend" aria-label="Marks in the pictures">
<li><span class="swatch prediction"></span>prediction</li>
<li><span class="swatch contour"></span>true contour</li>
<li><span class="swatch area"></span>area of largest disagreement</li>
</ul>
${figures.map(oneCase)}<figcaption><b>Fig. 4.</b> Image, mask and each network’s prediction: first seed, first fold, network of the best epoch, validation part. Blue: the prediction; red: the true contour; yellow frame: the square in which the networks disagree most, or, where they agree, are wrong most. Of each data set the image with the largest disagreement, that with the lowest mean Dice and one with the median.${reduced ? ' Images are reduced to at most 256 pixels a side.' : ''}</figcaption>
</figure>
`,
  };
}
