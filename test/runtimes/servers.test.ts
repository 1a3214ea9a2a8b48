/** The installed package in Node 22 and 24, Deno and Bun: a step of training on wasm, saving and loading. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';

const project = inject('project');
const modules = join(import.meta.dirname, 'node_modules');

const runtimes = [
  { name: 'Node 22', command: join(modules, 'node22/bin/node'), args: [] },
  { name: 'Node 24', command: join(modules, 'node24/bin/node'), args: [] },
  { name: 'Deno', command: join(modules, 'deno/deno'), args: ['run', '--allow-all', '--node-modules-dir=manual'] },
  { name: 'Bun', command: join(modules, 'bun/bin/bun.exe'), args: ['run'] },
];

const program = `
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { inference, losses, models, useBackend } from 'pyconvunet';
import 'pyconvunet/wasm';
import { fit } from 'pyconvunet/training';
import { loadSamples } from 'pyconvunet/files';

await useBackend('wasm', { log: () => {} });
const model = models.pyConvUNet({ inputShape: [32, 32, 1], widths: [4, 8] });
model.compile({ optimizer: 'adam', loss: losses.bceDice() });
const x = tf.randomUniform([2, 32, 32, 1], 0, 1, 'float32', 7);
const y = tf.cast(tf.greater(x, 0.5), 'float32');
const before = model.evaluate(x, y).dataSync()[0];
await model.fit(x, y, { epochs: 3, verbose: 0 });
const after = model.evaluate(x, y).dataSync()[0];
if (!(after < before)) throw new Error('The loss did not fall: ' + before + ' ' + after);
const { mask } = await inference.predictMask(model, tf.ones([40, 50, 1]));
if (mask.length !== 2000) throw new Error('The mask has ' + mask.length + ' pixels');
console.log(typeof fit, typeof loadSamples);
`;

describe.each(runtimes)('$name', ({ command, args }) => {
  test('trains and predicts', () => {
    writeFileSync(join(project, 'runtime.mjs'), program);
    const { status, stdout, stderr } = spawnSync(command, [...args, 'runtime.mjs'], { cwd: project, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(stdout.trim()).toBe('function function');
  });

  test('runs the command', () => {
    const cli = join('node_modules/pyconvunet/dist/cli.js');
    const { status, stdout, stderr } = spawnSync(command, [...args, cli, 'doctor', '--json'], {
      cwd: project,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const { backends } = JSON.parse(stdout) as { backends: { name: string; available: boolean }[] };
    expect(backends.find(({ name }) => name === 'wasm')).toMatchObject({ available: true });
  });
});
