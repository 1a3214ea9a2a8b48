// What every runtime must be able to do with the installed package: choose a backend, train a network, predict. The result
// is plain numbers, so that runtimes can be compared.
import * as tf from '@tensorflow/tfjs-core';
import { doctor, losses, metrics, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import 'pyconvunet/webgpu';

const silent = { log: () => {} };

/** Disc in the middle of each image, with a gradient as noise. */
function sample(size) {
  const image = new Float32Array(2 * size * size);
  const mask = new Float32Array(2 * size * size);
  for (let i = 0; i < image.length; i++) {
    const [row, column] = [Math.floor(i / size) % size, i % size];
    mask[i] = (row - size / 2) ** 2 + (column - size / 2) ** 2 < (size / 4) ** 2 ? 1 : 0;
    image[i] = mask[i] + ((row * 7 + column * 3) % 11) / 11 - 1;
  }
  return [tf.tensor4d(image, [2, size, size, 1]), tf.tensor4d(mask, [2, size, size, 1])];
}

/** Three steps of a narrow PyConvU-Net: the losses, and the mean of what it predicts then. */
export async function train(backend) {
  await useBackend(backend, silent);
  const net = models.pyConvUNet({ inputShape: [32, 32, 1], widths: [8, 16], seed: 1 });
  net.compile({ optimizer: 'sgd', loss: losses.bceDice(), metrics: [metrics.dice()] });
  const [x, y] = sample(32);
  const steps = [];
  for (let step = 0; step < 3; step++) steps.push((await net.trainOnBatch(x, y))[0]);
  const prediction = net.predict(x);
  const mean = tf.mean(prediction);
  const result = { losses: steps, mean: (await mean.data())[0] };
  tf.dispose([x, y, prediction, mean]);
  net.dispose();
  return result;
}

/** Trains on wasm, and on webgpu where the runtime has it. */
export async function smoke() {
  const chosen = await useBackend('auto', silent);
  const wasm = await train('wasm');
  const report = await doctor();
  const hasGpu = report.backends.some(({ name, available }) => name === 'webgpu' && available);
  return {
    runtime: report.runtime,
    chosen: chosen.name,
    isolated: report.crossOriginIsolated,
    problems: report.problems,
    wasm,
    webgpu: hasGpu ? await train('webgpu') : null,
  };
}
