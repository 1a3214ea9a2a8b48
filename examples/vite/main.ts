// Trains a narrow PyConvU-Net on generated lung images, shows progress, and draws mask and contour over an unseen image.
import { inference, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { phantom, prepareSamples, split, train } from 'pyconvunet/training';

const [canvas] = document.getElementsByTagName('canvas');
const say = (text: string) => document.querySelector('#status')?.replaceChildren(text);

const backend = await useBackend('auto');
const { samples } = prepareSamples(phantom('lung', { count: 40, size: 32, seed: 1 }));
const parts = split(samples, { seed: 1 });
const model = models.pyConvUNet({ widths: [16, 32], inputShape: [null, null, 1], seed: 1 });
const { best } = await train(
  model,
  { training: parts.train, validation: parts.validation },
  {
    epochs: 6,
    batchSize: 4,
    learningRate: 0.01,
    seed: 1,
    onProgress: ({ done, total }) => say(`Backend ${backend.name}: ${done} of ${total} steps`),
  },
);

const [{ image }] = phantom('lung', { count: 1, size: 32, seed: 2 });
const result = await inference.predictMask(model, image);
const context = canvas.getContext('2d');
if (context !== null) {
  const coloured = inference.overlay(image.data, result);
  const pixels = new ImageData(result.width, result.height);
  for (let i = 0; i < result.mask.length; i++) pixels.data.set([...coloured.subarray(3 * i, 3 * i + 3), 255], 4 * i);
  context.putImageData(pixels, 0, 0);
  context.strokeStyle = 'red';
  context.lineWidth = 0.5;
  for (const ring of result.contours().flat()) {
    const line = new Path2D();
    for (const [x, y] of ring) line.lineTo(x, y);
    context.stroke(line);
  }
}
say(`Done. Dice ${best?.dice.toFixed(3)} on the validation part.`);
