// Trains a narrow PyConvU-Net on generated images, segments images that it has not seen, and writes the first of their masks.
import { writeFile } from 'node:fs/promises';
import { inference, metrics, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { encodePng, phantom, prepareSamples, toLabels, train } from 'pyconvunet/training';

await useBackend('wasm');
const images = phantom('lung', { count: 32, size: 64, seed: 1 });
const { samples, preprocessing } = prepareSamples(images);
const data = { training: samples.slice(0, 24), validation: samples.slice(24, 28) };

const model = models.pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 });
const recipe = { epochs: 5, batchSize: 2, learningRate: 1e-2, loss: 'bce-dice', seed: 1 };
const onEpoch = ({ epoch, valDice }) => console.log(`epoch ${epoch}: Dice ${valDice.toFixed(3)}`);
await train(model, data, { ...recipe, onEpoch });

const score = new metrics.ConfusionMatrix({ classes: 'foreground' });
const masks = [];
for (const { name, image, mask } of images.slice(28)) {
  const result = await inference.predictMask(model, image, { preprocessing });
  await score.update(toLabels(mask, name), result.mask);
  masks.push({ ...image, data: result.mask.map((label) => label * 255) });
}
await writeFile('mask.png', encodePng(masks[0]));
console.log(
  `Dice ${score.result().dice.toFixed(3)} on ${masks.length} images that it has not seen; mask.png is of the first.`,
);
