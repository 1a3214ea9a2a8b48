// Shows at once what the small model of the package finds in images that it has not seen; trains another one in this tab.
import { inference, metrics, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { phantom, prepareSamples, toLabels, train } from 'pyconvunet/training';

const [button, progress, status, gallery, facts] = ['train', 'progress', 'status', 'gallery', 'facts'].map((id) =>
  document.getElementById(id),
);

const images = phantom('cell', { count: 32, size: 64, seed: 1 });
const unseen = images.slice(28);
const { samples, preprocessing } = prepareSamples(images);
const data = { training: samples.slice(0, 24), validation: samples.slice(24, 28) };
/** The model that comes with the package saw images of this size. */
const { href: SHIPPED } = new URL('./node_modules/pyconvunet/examples/model/model.json', location.href);
const unseenByShipped = phantom('cell', { count: 4, size: 128, seed: 1 });
const recipe = { epochs: 10, batchSize: 2, learningRate: 5e-3, loss: 'bce-dice', seed: 1 };

function element(name, text = '', ...children) {
  const node = document.createElement(name);
  node.append(text, ...children);
  return node;
}

/** Draws a grey image of one byte a pixel on a canvas of 256 pixels, so that outlines over it are thin. */
async function draw({ width, height, data: grey }) {
  const scale = 256 / width;
  const pixels = new ImageData(width, height);
  for (const [i, value] of grey.entries()) pixels.data.set([value, value, value, 255], 4 * i);
  const canvas = document.createElement('canvas');
  canvas.width = scale * width;
  canvas.height = scale * height;
  canvas.setAttribute('role', 'img');
  const context = canvas.getContext('2d');
  context.imageSmoothingEnabled = false;
  context.scale(scale, scale);
  context.drawImage(await createImageBitmap(pixels), 0, 0);
  return { canvas, context };
}

/** Draws the mask that the network found and the outline that is true. */
async function drawOver(context, found, truth) {
  context.drawImage(await createImageBitmap(found.toImageData()), 0, 0);
  context.strokeStyle = '#e60000';
  context.lineWidth = 0.5;
  for (const ring of truth.contours().flat()) {
    const line = new Path2D();
    for (const point of ring) line.lineTo(...point);
    context.stroke(line);
  }
}

/** Shows images with what a network found in them, and what is true; returns the Dice over all and the mean time. */
async function show(model, shown, options = {}) {
  const all = new metrics.ConfusionMatrix({ classes: 'foreground' });
  const items = [];
  let milliseconds = 0;
  for (const { name, image, mask } of shown) {
    const { canvas, context } = await draw(image);
    const started = performance.now();
    const found = await inference.predictMask(model, image, options);
    milliseconds += (performance.now() - started) / shown.length;
    const labels = toLabels(mask, name);
    await all.update(labels, found.mask);
    await drawOver(context, found, new inference.Segmentation({ ...found, mask: labels }));
    const caption = `Dice ${all.perImage().at(-1).dice.toFixed(3)}`;
    canvas.ariaLabel = `Image ${name}, ${caption}`;
    items.push(element('li', canvas, element('span', caption)));
  }
  gallery.replaceChildren(...items);
  return { dice: all.result().dice, milliseconds };
}

function list(entries) {
  const groups = Object.entries(entries).map(([term, value]) =>
    element('div', element('dt', term), element('dd', value)),
  );
  facts.replaceChildren(...groups);
}

async function run() {
  // Not `disabled`, which would take the keyboard's focus away.
  if (button.ariaDisabled === 'true') return;
  button.ariaDisabled = 'true';
  const started = performance.now();
  const model = models.pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 });
  await train(model, data, {
    ...recipe,
    onProgress: ({ done, total }) => {
      progress.value = done / total;
    },
    onEpoch: ({ epoch, loss, valDice }) => {
      status.textContent = `Epoch ${epoch} of ${recipe.epochs}: loss ${loss.toFixed(3)}, Dice ${valDice.toFixed(3)}`;
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const { dice, milliseconds } = await show(model, unseen, { preprocessing });
  list({
    Backend: backend.name,
    Parameters: model.countParams().toLocaleString('en'),
    Training: `${seconds.toFixed(1)} s`,
    Segmentation: `${milliseconds.toFixed(0)} ms an image`,
  });
  status.textContent = `Done. Dice ${dice.toFixed(3)} on ${unseen.length} images that it has not seen.`;
  model.dispose();
  button.ariaDisabled = 'false';
}

/** What fails is said in the page. */
async function guarded(step) {
  try {
    await step();
  } catch (error) {
    status.textContent = `Failed: ${error.message}`;
    throw error;
  }
}

let backend;
await guarded(async () => {
  backend = await useBackend('wasm');
  const model = await models.load(SHIPPED);
  const { dice, milliseconds } = await show(model, unseenByShipped);
  list({
    Backend: backend.name,
    Parameters: model.countParams().toLocaleString('en'),
    Training: 'before, in 23 epochs',
    Segmentation: `${milliseconds.toFixed(0)} ms an image`,
  });
  model.dispose();
  status.textContent = `Ready. The model of the package: Dice ${dice.toFixed(3)}.`;
  button.ariaDisabled = 'false';
});
button.addEventListener('click', () => guarded(run));
