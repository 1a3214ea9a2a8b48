// Draws noisy discs, trains a narrow PyConvU-Net on them in this tab, and marks the disc in a new image.
import * as tf from '@tensorflow/tfjs-core';
import { inference, losses, metrics, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';

const SIZE = 32;
const status = document.querySelector('#status');

/** A bright disc in noise on a canvas of its own, and its mask. */
function draw() {
  const canvas = new OffscreenCanvas(SIZE, SIZE);
  const context = canvas.getContext('2d');
  const radius = 5 + Math.random() * 6;
  const [x, y] = [0, 1].map(() => radius + Math.random() * (SIZE - 2 * radius));
  const image = context.createImageData(SIZE, SIZE);
  const mask = new Float32Array(SIZE * SIZE);
  for (let i = 0; i < mask.length; i++) {
    mask[i] = Math.hypot((i % SIZE) - x, Math.floor(i / SIZE) - y) < radius ? 1 : 0;
    const grey = 90 + 60 * mask[i] + 120 * (Math.random() - 0.5);
    image.data.set([grey, grey, grey, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return { canvas, mask };
}

const { name } = await useBackend('wasm');
const images = Array.from({ length: 24 }, draw);
// predictMask scales bytes to [-1, 1], so training must, too.
const x = tf.stack(images.map(({ canvas }) => tf.sub(tf.div(tf.browser.fromPixels(canvas, 3), 127.5), 1)));
const y = tf.tensor4d(Float32Array.from(images.flatMap(({ mask }) => [...mask])), [images.length, SIZE, SIZE, 1]);

const model = models.pyConvUNet({ widths: [16, 32], inputShape: [SIZE, SIZE, 3] });
model.compile({ optimizer: tf.train.adam(0.01), loss: losses.bceDice(), metrics: [metrics.dice()] });
await model.fit(x, y, {
  epochs: 15,
  batchSize: 4,
  callbacks: {
    onEpochEnd: (epoch, { loss, dice }) => {
      status.textContent = `Backend ${name}, epoch ${epoch + 1}: loss ${loss.toFixed(3)}, Dice ${dice.toFixed(3)}`;
    },
  },
});

const unseen = draw();
const result = await inference.predictMask(model, unseen.canvas);
const canvas = document.querySelector('canvas');
const context = canvas.getContext('2d');
context.drawImage(unseen.canvas, 0, 0);
context.drawImage(await createImageBitmap(result.toImageData()), 0, 0);
const both = result.mask.reduce((sum, label, i) => sum + label * unseen.mask[i], 0);
const either = result.mask.reduce((sum, label, i) => sum + label + unseen.mask[i], 0);
status.textContent = `Done. Dice ${((2 * both) / either).toFixed(3)} on an image that it has not seen.`;
