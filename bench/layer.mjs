// PyConv2D called by itself through TensorFlow.js on wasm, against the composition of TensorFlow.js's own convolutions:
// `npm run build`, then `node bench/layer.mjs`.
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { median, summarise } from '../dist/benchmark/summary.js';
import { difference } from './lib/difference.mjs';
import { scriptOptions } from './lib/scriptOptions.mjs';
import { columns } from './lib/table.mjs';

/** Kernel size, groups and filters of each level. */
const pyConv4 = (width) => [
  [3, 1, width / 8],
  [5, 4, width / 8],
  [7, 8, width / 4],
  [9, 16, width / 2],
];
/** Height (and width), input channels, levels. */
const SHAPES = [
  ...[
    [256, 32],
    [128, 64],
    [64, 128],
    [32, 256],
    [16, 512],
  ].map(([size, width]) => [size, width, pyConv4(width)]),
  [64, 128, [[9, 16, 64]]],
  [64, 128, [[5, 4, 32]]],
  [128, 64, [[7, 8, 16]]],
  [256, 32, [[9, 16, 16]]],
];
/** Worst difference between the contenders, relative to the largest value. */
const TOLERANCE = 1e-4;
const WORKS = ['forward', 'forward and backward'];

const nameOf = ([size, channels, levels]) =>
  `${size}x${size}x${channels} ${levels.map(([k, groups, filters]) => `${k}/${groups}/${filters}`).join(' ')}`;

/** A contender's process: answers messages until its parent is gone. */
async function contend(side, threads) {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-layers');
  const { pyConv2d, useBackend } = await import('../dist/index.js');
  await import(side === 'pyconvunet' ? '../dist/wasm.js' : '@tensorflow/tfjs-backend-wasm');
  await useBackend('wasm', { log: () => {}, ...(threads > 1 ? { threads } : {}) });
  let works;
  let tensors = [];
  const enter = ([size, channels, levels]) => {
    tf.dispose(tensors);
    const random = (shape, seed, deviation) => tf.randomNormal(shape, 0, deviation, 'float32', seed);
    const groups = levels.map(([, count]) => count);
    const x = random([1, size, size, channels], 1, 1);
    const filters = levels.map(([k, count, outputs], i) =>
      random([k, k, channels / count, outputs], i + 2, 1 / Math.sqrt((k * k * channels) / count)),
    );
    const apply = (a, ...f) => pyConv2d(a, f, { groups });
    const dy = random([1, size, size, levels.reduce((sum, [, , outputs]) => sum + outputs, 0)], 9, 1);
    const gradients = tf.grads(apply);
    tensors = [x, ...filters, dy];
    works = { forward: () => [apply(x, ...filters)], 'forward and backward': () => gradients([x, ...filters], dy) };
    return WORKS.map((work) => {
      const results = works[work]();
      const values = results.map((result) => result.dataSync());
      tf.dispose(results);
      return values;
    });
  };
  const measure = (work, samples) => {
    const times = [];
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      tf.dispose(works[work]());
      times.push(performance.now() - start);
    }
    return times;
  };
  process.on('disconnect', () => process.exit());
  process.on('message', ({ shape, work, samples }) => {
    process.send(shape === undefined ? measure(work, samples) : enter(shape));
  });
  process.send('ready');
}

function start(side, threads) {
  const child = fork(fileURLToPath(import.meta.url), ['--contender', side, String(threads)], {
    serialization: 'advanced',
  });
  let fail;
  child.on('exit', (code) => fail(new Error(`${side} ended with code ${code}.`)));
  const answer = () =>
    new Promise((resolve, reject) => {
      fail = reject;
      child.once('message', resolve);
    });
  const ready = answer();
  return {
    side,
    ready,
    ask(message) {
      const answered = answer();
      child.send(message);
      return answered;
    },
    stop: () => child.kill(),
  };
}

async function compare(shape, contenders, { rounds, samples }) {
  const outputs = [];
  for (const contender of contenders) outputs.push(await contender.ask({ shape }));
  const [ours, theirs] = outputs.map((works) => works.flat());
  const error = Math.max(...ours.map((values, i) => difference(values, theirs[i])));
  if (!(error <= TOLERANCE)) throw new Error(`${nameOf(shape)}: the contenders differ by ${error.toExponential(1)}.`);
  const turns = WORKS.map(() => contenders.map(() => []));
  for (let round = 0; round < rounds; round++) {
    for (const [w, work] of WORKS.entries()) {
      const order = [...contenders.keys()];
      if (round % 2 === 1) order.reverse();
      for (const c of order) turns[w][c].push(await contenders[c].ask({ work, samples }));
    }
  }
  const [size, channels, levels] = shape;
  const macs = levels.reduce((sum, [k, groups, filters]) => sum + k * k * (channels / groups) * filters, 0) * size ** 2;
  return WORKS.map((work, w) => {
    const [own, their] = turns[w].map(summarise);
    const flops = 2 * macs * (work === 'forward' ? 1 : 3);
    const ratios = turns[w][0].map((times, i) => median(turns[w][1][i]) / median(times));
    return {
      shape: nameOf(shape),
      work,
      ms: own.ms,
      spread: own.spread,
      compositionMs: their.ms,
      gflops: flops / own.ms / 1e6,
      ratio: their.ms / own.ms,
      leastRatio: Math.min(...ratios),
      error,
    };
  });
}

/** A process that was started by this script says in its first argument which contender it is. */
const side = process.argv[2] === '--contender' ? process.argv[3] : undefined;
if (side !== undefined) await contend(side, Number(process.argv[4]));
else {
  const { only, json, ...settings } = scriptOptions(
    'node bench/layer.mjs [--rounds N] [--samples N] [--threads N] [--only TEXT] [--json FILE]',
    { rounds: '5', samples: '3', threads: '1', only: '', json: undefined },
  );
  const loadBefore = Number(loadavg()[0].toFixed(1));
  // TensorFlow.js's own package of this backend takes no number of threads.
  const contenders = [start('pyconvunet', settings.threads), start('tfjs', 1)];
  for (const { ready } of contenders) await ready;
  const results = [];
  try {
    for (const shape of SHAPES.filter((one) => nameOf(one).includes(only))) {
      console.error(nameOf(shape));
      results.push(...(await compare(shape, contenders, settings)));
    }
  } finally {
    for (const contender of contenders) contender.stop();
  }
  const rows = results.map((r) => [
    r.shape,
    r.ms.toFixed(1),
    `${(100 * r.spread).toFixed(0)} %`,
    r.gflops.toFixed(1),
    r.compositionMs.toFixed(1),
    r.ratio.toFixed(1),
    r.error.toExponential(1),
    r.work,
  ]);
  if (settings.threads > 1) {
    console.log(
      `PyConv2D on ${settings.threads} threads against the composition on one: the ratio is not that of the kernels alone.`,
    );
  }
  console.log(columns([['shape', 'ms', 'spread', 'GFLOP/s', 'composition', 'ratio', 'difference', 'work'], ...rows]));
  if (json !== undefined) {
    const machine = { processor: cpus()[0].model.trim(), cores: cpus().length, node: process.version, loadBefore };
    writeFileSync(json, `${JSON.stringify({ machine, ...settings, compositionThreads: 1, results }, null, 2)}\n`);
  }
}
