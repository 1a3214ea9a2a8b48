// Trains a narrow PyConvU-Net on generated lung images and segments one that it has not seen.
import { inference, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { phantom, prepareSamples, split, train } from 'pyconvunet/training';

await useBackend('wasm');
const images = phantom('lung', { count: 40, size: 32, seed: 1 });
const { train: training, validation } = split(prepareSamples(images).samples, { seed: 1 });
const model = models.pyConvUNet({ widths: [16, 32], inputShape: [null, null, 1], seed: 1 });
const { best } = await train(model, { training, validation }, { epochs: 6, batchSize: 4, learningRate: 0.01, seed: 1 });
const [unseen] = phantom('lung', { count: 1, size: 32, seed: 2 });
const result = await inference.predictMask(model, unseen.image);

const foreground = result.mask.reduce((sum, label) => sum + label, 0);
console.log(
  `Dice ${best?.dice.toFixed(3)} on the validation part; ${foreground} of ${result.mask.length} pixels are lung.`,
);
