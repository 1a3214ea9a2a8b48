// This package: training steps on backend wasm, of the public `train` as a user calls it.
import { train } from '../../dist/training.js';
import { readData } from './data.mjs';
import { ownModel, version } from './own_model.mjs';
import { maxError, options, serve } from './protocol.mjs';

const { data: folder, network, threads } = options();
const data = readData(folder, network);
const model = await ownModel(network, data);
const [, height, width, channels] = data.nhwc;
const sample = {
  ...{ name: 'example', width, height, channels },
  image: data.input('nhwc'),
  mask: Uint8Array.from(data.target()),
};

// An epoch is one step: it is timed up to its progress report, which comes before the validation, and the next one waits in
// `onEpoch` until it is asked for.
let began = performance.now();
let last = { ms: Number.NaN, loss: Number.NaN };
let answer = { resolve: (_result) => {}, reject: (_error) => {} };

function start() {
  const settings = {
    epochs: Number.MAX_SAFE_INTEGER,
    batchSize: 1,
    augment: 'none',
    loss: 'bce',
    learningRate: 1e-3,
    threads,
  };
  const run = train(
    model,
    { training: [sample], validation: [sample] },
    {
      ...settings,
      onProgress: ({ loss }) => {
        last = { ms: performance.now() - began, loss };
      },
      onEpoch: async () => {
        answer.resolve(last);
        await new Promise((resolve) => {
          go = resolve;
        });
        began = performance.now();
      },
    },
  );
  run.catch((error) => answer.reject(error));
}
let go = start;

/** Takes one step. @returns {Promise<{ms: number, loss: number}>} */
function step() {
  const result = new Promise((resolve, reject) => {
    answer = { resolve, reject };
  });
  go();
  return result;
}

const losses = [];
for (const _ of data.losses) losses.push((await step()).loss);
await serve(
  {
    name: 'pyconvunet',
    version,
    setting: `train on wasm, Node ${process.versions.node}`,
    threads,
    maxError: maxError(losses, data.losses),
  },
  async (count) => {
    const ms = [];
    for (let i = 0; i < count; i++) ms.push((await step()).ms);
    return ms;
  },
);
// The run waits for its next epoch.
process.exit();
