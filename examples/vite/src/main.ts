// Wires the page: an image and a model make a segmentation, whenever one of the two changes.
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { inference, metrics, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { isPhantomName, type PhantomName } from 'pyconvunet/training';
import { drawFile, drawOverlay, drawPhantom, type Picture } from './picture.js';
import { untrained } from './training.js';

function find<T extends Element>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${type.name} with the id ${id}.`);
}

const canvas = find('image', HTMLCanvasElement);
const overlay = find('overlay', SVGSVGElement);
const result = find('result', HTMLElement);
const status = find('status', HTMLElement);
const progress = find('progress', HTMLProgressElement);
const task = find('task', HTMLSelectElement);
const file = find('file', HTMLInputElement);
const epochs = find('epochs', HTMLInputElement);
const modelFiles = find('model', HTMLInputElement);
const opacity = find('opacity', HTMLInputElement);
const trainButton = find('train', HTMLButtonElement);
const stopButton = find('stop', HTMLButtonElement);

let seed = 100;
let picture: Picture;
let model: LayersModel | null = null;
let training: AbortController | null = null;
let backend = '';

const say = (text: string) => {
  status.textContent = text;
};
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** What fails is said in the page. */
function guarded(step: () => Promise<void> | void): () => Promise<void> {
  return async () => {
    try {
      await step();
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  };
}

function chosenTask(): PhantomName {
  if (isPhantomName(task.value)) return task.value;
  throw new Error(`There is no generated image '${task.value}'.`);
}

async function describe(segmentation: inference.Segmentation, { truth }: Picture, milliseconds: number) {
  const covered = segmentation.mask.filter((label) => label > 0).length / segmentation.mask.length;
  const facts = [
    `${percent(covered)} of the image is ${segmentation.classes.slice(1).join(' or ')}`,
    `${milliseconds.toFixed(0)} ms on ${backend}`,
  ];
  // A model of another task or number of classes has nothing to do with this truth.
  if (truth !== null && segmentation.classes[1] === task.value) {
    const matrix = new metrics.ConfusionMatrix({ classes: 'foreground' });
    await matrix.update(truth, segmentation.mask);
    facts.unshift(`Dice ${matrix.result().dice?.toFixed(3)}`);
  }
  return facts.join(' · ');
}

/** Segments the picture as it is now; does nothing without a model. */
async function segment(): Promise<void> {
  const current = picture;
  if (model === null) return;
  const started = performance.now();
  const segmentation = await inference.predictMask(model, current.canvas);
  const milliseconds = performance.now() - started;
  // Another picture came meanwhile: its own call draws.
  if (current !== picture) return;
  drawOverlay(overlay, segmentation);
  result.textContent = await describe(segmentation, current, milliseconds);
}

async function show(next: Picture): Promise<void> {
  picture = next;
  canvas.ariaLabel = `The image: ${next.name}`;
  drawOverlay(overlay, null);
  await segment();
}

function use(next: LayersModel): void {
  model?.dispose();
  model = next;
}

async function train(): Promise<void> {
  const controller = new AbortController();
  training = controller;
  trainButton.hidden = true;
  stopButton.hidden = false;
  stopButton.focus();
  modelFiles.disabled = true;
  say('Training …');
  const started = performance.now();
  const { model: next, fit } = untrained(chosenTask());
  use(next);
  let last = 'Stopped in the first epoch.';
  try {
    await fit({
      epochs: epochs.valueAsNumber,
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        progress.value = done / total;
      },
      onEpoch: async ({ epoch, loss, valDice }) => {
        last = `Epoch ${epoch} of ${epochs.value}: loss ${loss.toFixed(3)}, validation Dice ${valDice.toFixed(3)}`;
        say(last);
        await segment();
      },
    });
    say(`Done in ${((performance.now() - started) / 1000).toFixed(1)} s. ${last}`);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    say(`Stopped. ${last}`);
  } finally {
    training = null;
    stopButton.hidden = true;
    trainButton.hidden = false;
    trainButton.focus();
    modelFiles.disabled = false;
  }
}

async function openModel(): Promise<void> {
  const files = [...(modelFiles.files ?? [])];
  if (files.length === 0) return;
  // tf.io.browserFiles takes the JSON first.
  files.sort((a, b) => Number(b.name.endsWith('.json')) - Number(a.name.endsWith('.json')));
  use(await models.load(tf.io.browserFiles(files)));
  say(`Opened ${files.map(({ name }) => name).join(', ')}.`);
  await segment();
}

const another = guarded(async () => {
  file.value = '';
  await show(drawPhantom(canvas, chosenTask(), ++seed));
});
find('another', HTMLButtonElement).addEventListener('click', another);
task.addEventListener('change', another);
file.addEventListener(
  'change',
  guarded(async () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) await show(await drawFile(canvas, chosen));
  }),
);
find('controls', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  if (training === null) void guarded(train)();
});
stopButton.addEventListener('click', () => training?.abort());
modelFiles.addEventListener('change', guarded(openModel));
const setOpacity = () => overlay.style.setProperty('--opacity', opacity.value);
opacity.addEventListener('input', setOpacity);

setOpacity();
await another();
await guarded(async () => {
  backend = (await useBackend('auto')).name;
  say(`Ready, on backend ${backend}.`);
})();
