// Trains a narrow PyConvU-Net on generated images, segments one that it has not seen, and writes the mask in colour over it.
import { writeFile } from 'node:fs/promises';
import { inference, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { encodePng, phantom, prepareSamples, split, train } from 'pyconvunet/training';

await useBackend('wasm');
const images = phantom('lung', { count: 40, size: 32, seed: 1 });
const parts = split(prepareSamples(images).samples, { seed: 1 });
const model = models.pyConvUNet({ widths: [16, 32], inputShape: [null, null, 1], seed: 1 });
const data = { training: parts.train, validation: parts.validation };
const { best } = await train(model, data, { epochs: 6, batchSize: 4, learningRate: 0.01, seed: 1 });

const [unseen] = phantom('lung', { count: 1, size: 32, seed: 2 });
const result = await inference.predictMask(model, unseen.image);
const { width, height } = result;
const coloured = inference.overlay(unseen.image.data, result);
await writeFile('overlay.png', encodePng({ width, height, channels: 3, data: coloured }));
console.log(`Dice ${best?.dice.toFixed(3)} on the validation part; overlay.png is ${width} x ${height}.`);
