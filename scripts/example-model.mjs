// Makes examples/model: a narrow PyConvU-Net that finds the granular cells of `phantom:cell` at 128x128, and an image that it
// has not seen. Run after a build: node scripts/example-model.mjs. It takes some minutes and ends with the same bytes.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inference, metrics, models, useBackend } from '../dist/index.js';
import '../dist/wasm.js';
import { saveModel } from '../dist/files.js';
import { encodePng, phantom, prepareSamples, split, train } from '../dist/training.js';
import { root } from './lib/steps.mjs';

const folder = join(root, 'examples/model');
const LARGEST = 300e3;
const size = 128;

await useBackend('wasm');
const images = phantom('cell', { count: 101, size, seed: 5 });
const unseen = images.at(-1);
const { samples, preprocessing } = prepareSamples(images.slice(0, -1), { size });
const parts = split(samples, { seed: 1 });
const model = models.pyConvUNet({ widths: [8, 16, 32], inputShape: [null, null, 1], groups: 'auto', seed: 1 });
inference.setMetadata(model, {
  formatVersion: 1,
  network: 'pyconvunet',
  preprocessing,
  classes: ['background', 'cell'],
  threshold: 0.5,
});
await mkdir(folder, { recursive: true });
await train(
  model,
  { training: parts.train, validation: parts.validation },
  {
    epochs: 23,
    learningRate: 3e-3,
    loss: 'bce-dice',
    seed: 1,
    onEpoch: async ({ epoch, valDice, seconds, isBest }) => {
      console.log(`epoch ${epoch}: Dice ${valDice.toFixed(4)}, ${seconds.toFixed(0)} s${isBest ? ', kept' : ''}`);
      if (isBest) await saveModel(model, folder);
    },
  },
);
await writeFile(join(folder, 'cell.png'), encodePng(unseen.image));
await writeFile(join(folder, 'cell_mask.png'), encodePng(unseen.mask));

const kept = await models.load(join(folder, 'model.json'));
const { mask } = await inference.predictMask(kept, unseen.image);
const truth = unseen.mask.data.map((value) => (value > 0 ? 1 : 0));
const matrix = new metrics.ConfusionMatrix({ numClasses: 2 });
await matrix.update(truth, mask);
const bytes = await Promise.all(
  ['model.json', 'weights.bin'].map(async (name) => (await stat(join(folder, name))).size),
);
const total = bytes.reduce((sum, each) => sum + each, 0);
console.log(`Dice of the unseen image: ${matrix.result({ classes: 'foreground' }).dice?.toFixed(4)}; ${total} bytes.`);
if (total > LARGEST) throw new Error(`The model takes ${total} bytes, more than ${LARGEST}.`);
JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
