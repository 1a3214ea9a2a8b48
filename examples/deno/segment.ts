// Trains a narrow PyConvU-Net on generated images, and draws one that it has not seen as an SVG: the outlines that it
// found, above those that are true.
import { Buffer } from 'node:buffer';
import { writeFile } from 'node:fs/promises';
import { inference, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { encodePng, phantom, prepareSamples, toLabels, train } from 'pyconvunet/training';

await useBackend('auto');
const images = phantom('cell', { count: 29, size: 64, seed: 1 });
const { samples, preprocessing } = prepareSamples(images);
const data = { training: samples.slice(0, 24), validation: samples.slice(24, 28) };

const model = models.pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 });
const { best } = await train(model, data, {
  epochs: 6,
  batchSize: 2,
  learningRate: 1e-2,
  loss: 'bce-dice',
  seed: 1,
  onEpoch: ({ epoch, valDice, seconds }) =>
    console.log(`epoch ${epoch}: Dice ${valDice.toFixed(3)}, ${seconds.toFixed(1)} s`),
});

const { name, image, mask } = images[28];
const found = await inference.predictMask(model, image, { preprocessing });
const { width, height, classes } = found;
const truth = new inference.Segmentation({ ...found, mask: toLabels(mask, name) });

/** The outlines as the `d` of an SVG path. */
function path(segmentation: inference.Segmentation): string {
  const rings = segmentation.contours().flat();
  return rings.map((ring) => `M${ring.join('L')}Z`).join('');
}

const png = Buffer.from(encodePng(image)).toString('base64');
await writeFile(
  'outlines.svg',
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="512" height="512" fill="none">
  <title>${classes[1]} of ${name}: found (green) and true (red)</title>
  <image href="data:image/png;base64,${png}" width="${width}" height="${height}" style="image-rendering: pixelated"/>
  <path d="${path(truth)}" stroke="#e60000" stroke-width="0.8"/>
  <path d="${path(found)}" stroke="#00c896" stroke-width="0.5"/>
</svg>
`,
);
console.log(`Dice ${best?.dice?.toFixed(3)} in epoch ${best?.epoch}; the outlines are in outlines.svg.`);
