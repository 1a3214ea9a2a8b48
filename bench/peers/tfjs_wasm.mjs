// tfjs-wasm as published, in Node: the networks composed of its own operators (groups by split, convolve, concatenate), batch
// normalisation folded into the filters, bias and ReLU fused.

import { readData } from './data.mjs';
import { importOrSkip, maxError, options, serve, skip, times } from './protocol.mjs';
import { valuesOf } from './tfjs.mjs';

const { data: folder, network, threads } = options();
if (threads > 1) skip('tfjs-wasm has no threads in Node');
if (network !== 'pyconvunet' && network !== 'unet') skip(`is not composed for ${network}`);
const tf = await importOrSkip('@tensorflow/tfjs-core', 'npm ci');
const { version_wasm: version } = await importOrSkip('@tensorflow/tfjs-backend-wasm', 'npm ci');
await tf.setBackend('wasm');
await tf.ready();

const data = readData(folder, network);
const weights = data.weights();
const DEPTH = 5;
const GROUPS = [1, 4, 8, 16];

/** A weight's tensor. */
const tensor = (name) => {
  const { values, shape } = weights.get(name);
  return tf.tensor(values, shape);
};

/** Batch normalisation in inference as scale x + shift. */
function scaleShift(name) {
  const scale = tf.div(tensor(`${name}/gamma`), tf.sqrt(tf.add(tensor(`${name}/moving_variance`), 1e-5)));
  return { scale, shift: tf.sub(tensor(`${name}/beta`), tf.mul(tensor(`${name}/moving_mean`), scale)) };
}

/** A convolution with bias as a function; `groups` by composition. */
function convolution(filter, bias, { activation = 'linear', groups = 1 } = {}) {
  const filters = tf.split(filter, groups, 3);
  const biases = tf.split(bias, groups);
  return (x) => {
    const parts = groups === 1 ? [x] : tf.split(x, groups, 3);
    const outputs = parts.map((part, i) =>
      tf.fused.conv2d({ x: part, filter: filters[i], strides: 1, pad: 'same', bias: biases[i], activation }),
    );
    return groups === 1 ? outputs[0] : tf.concat(outputs, 3);
  };
}

/** Convolution, normalisation, ReLU. */
function normalised(kernelName, normName) {
  const { scale, shift } = scaleShift(normName);
  const bias = weights.has(`${kernelName}/bias`) ? tf.mul(tensor(`${kernelName}/bias`), scale) : 0;
  return convolution(tf.mul(tensor(`${kernelName}/kernel`), scale), tf.add(bias, shift), { activation: 'relu' });
}

function pyConvStage(name) {
  const reduce = normalised(`${name}/reduce`, `${name}/reduceNorm`);
  const { scale, shift } = scaleShift(`${name}/pyconvNorm`);
  const kernels = GROUPS.map((_, i) => tensor(`${name}/pyconv/level${i + 1}/kernel`));
  const sizes = kernels.map(({ shape }) => shape[3]);
  const scales = tf.split(scale, sizes);
  const shifts = tf.split(shift, sizes);
  const levels = kernels.map((kernel, i) =>
    convolution(tf.mul(kernel, scales[i]), shifts[i], { activation: 'relu', groups: GROUPS[i] }),
  );
  const expand = normalised(`${name}/expand`, `${name}/expandNorm`);
  const own = scaleShift(`${name}/norm`);
  return (x) => {
    const y = reduce(x);
    const z = expand(
      tf.concat(
        levels.map((level) => level(y)),
        3,
      ),
    );
    return tf.relu(tf.add(tf.mul(z, own.scale), own.shift));
  };
}

function doubleConvolution(name) {
  const first = normalised(`${name}/conv1`, `${name}/norm1`);
  const second = normalised(`${name}/conv2`, `${name}/norm2`);
  return (x) => second(first(x));
}

/** 2x2 transposed convolution, stride 2. */
function upsampling(name) {
  const kernel = tensor(`${name}/kernel`);
  const bias = tensor(`${name}/bias`);
  return (x) => {
    const [batch, height, width] = x.shape;
    return tf.add(tf.conv2dTranspose(x, kernel, [batch, 2 * height, 2 * width, kernel.shape[2]], 2, 'same'), bias);
  };
}

const stage = { pyconvunet: pyConvStage, unet: doubleConvolution }[network];
const numbers = Array.from({ length: DEPTH }, (_, i) => i + 1);
const encoders = numbers.map((i) => stage(`encoder${i}`));
const decoders = numbers
  .slice(0, -1)
  .reverse()
  .map((i) => ({ skip: i - 1, up: upsampling(`decoder${i}/up`), stage: stage(`decoder${i}`) }));
const head = convolution(tensor('logits/kernel'), tensor('logits/bias'));

function probabilities(x) {
  const skips = [];
  let y = x;
  for (const [i, encoder] of encoders.entries()) {
    y = encoder(i === 0 ? y : tf.maxPool(y, 2, 2, 'valid'));
    skips.push(y);
  }
  for (const { skip: i, up, stage: decode } of decoders) y = decode(tf.concat([up(y), skips[i]], 3));
  return tf.sigmoid(head(y));
}

const image = tf.tensor(data.input('nhwc'), data.nhwc);
const run = () => valuesOf(() => probabilities(image));
const error = maxError(run(), data.output());
await times(run, 1);
await serve(
  {
    name: 'tfjs-wasm',
    version,
    setting: `operators composed, batch normalisation folded, Node ${process.versions.node}`,
    threads: 1,
    maxError: error,
  },
  (count) => times(run, count),
);
