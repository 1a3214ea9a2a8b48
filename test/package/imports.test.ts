/** The installed package in the ways in which Node and TypeScript reach it: always one copy of tfjs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, inject, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const project = inject('project');
const entries = ['pyconvunet', 'pyconvunet/wasm', 'pyconvunet/tensorflow', 'pyconvunet/files', 'pyconvunet/training'];

/** Runs a module or script in the installed project; its standard output. */
function node(name: string, source: string): string {
  writeFileSync(join(project, name), source);
  const { status, stdout, stderr } = spawnSync(process.execPath, [name], { cwd: project, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim();
}

/**
 * A network of a layer of this package and one of tfjs's, saved and loaded by the caller's tfjs, one step of training on
 * wasm: none of it works with a second copy of tfjs-core or tfjs-layers.
 */
const oneCopy = `
  if (tf.getBackend() !== 'wasm') throw new Error('The backend is ' + tf.getBackend());
  const input = tfl.input({ shape: [8, 8, 2] });
  const hidden = layers.pyConv2d({ filters: 4, kernelSizes: [3, 5], groups: [1, 2] }).apply(input);
  const output = tfl.layers.conv2d({ filters: 1, kernelSize: 1 }).apply(hidden);
  const model = tfl.model({ inputs: input, outputs: output });
  let artifacts;
  await model.save(tf.io.withSaveHandler(async (a) => ((artifacts = a), { modelArtifactsInfo: {} })));
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
  loaded.compile({ optimizer: 'sgd', loss: losses.bceDice() });
  const x = tf.ones([2, 8, 8, 2]);
  await loaded.fit(x, tf.ones([2, 8, 8, 1]), { verbose: 0 });
  console.log(loaded.layers.map((layer) => layer.getClassName()).join(' '));
`;
const expected = 'InputLayer pyconvunet>PyConv2D Conv2D';

test('import', () => {
  const output = node(
    'import.mjs',
    `import * as tf from '@tensorflow/tfjs-core';
    import * as tfl from '@tensorflow/tfjs-layers';
    import { layers, losses } from 'pyconvunet';
    ${entries.map((entry) => `import '${entry}';`).join('\n')}
    await tf.setBackend('wasm');
    ${oneCopy}`,
  );
  expect(output).toBe(expected);
});

test('require', () => {
  const output = node(
    'require.cjs',
    `const tf = require('@tensorflow/tfjs-core');
    const tfl = require('@tensorflow/tfjs-layers');
    const { layers, losses } = require('pyconvunet');
    ${entries.map((entry) => `require('${entry}');`).join('\n')}
    (async () => { await tf.setBackend('wasm'); ${oneCopy} })();`,
  );
  expect(output).toBe(expected);
});

test('import and require of the same package in one program', () => {
  const output = node(
    'mixed.mjs',
    `import { createRequire } from 'node:module';
    import * as tf from '@tensorflow/tfjs-core';
    import * as imported from 'pyconvunet';
    const require = createRequire(import.meta.url);
    const tfl = require('@tensorflow/tfjs-layers');
    require('pyconvunet/wasm');
    const { layers } = require('pyconvunet');
    const { losses } = imported;
    if (layers.PyConv2D !== imported.layers.PyConv2D) throw new Error('Two copies of the layer');
    await tf.setBackend('wasm');
    ${oneCopy}`,
  );
  expect(output).toBe(expected);
});

test('every entry by itself', () => {
  for (const entry of entries) {
    expect(node('one.mjs', `import * as entry from '${entry}'; console.log(typeof entry);`)).toBe('object');
    expect(node('one.cjs', `console.log(typeof require('${entry}'));`)).toBe('object');
  }
});

test('TypeScript: nodenext and bundler, in modules and in CommonJS', () => {
  const folder = join(project, 'typed');
  mkdirSync(folder, { recursive: true });
  const source = `import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import 'pyconvunet/wasm';
import { type Progress, inference, layers, losses, models, useBackend, version } from 'pyconvunet';
import { train } from 'pyconvunet/training';
import { loadSamples } from 'pyconvunet/files';
export async function main(): Promise<string> {
  await useBackend('wasm');
  const network: LayersModel = models.pyConvUNet({ inputShape: [64, 64, 1], widths: [8, 16] });
  const layer: layers.PyConv2D = layers.pyConv2d({ filters: 8 });
  const loss = losses.bceDice();
  void [train, loadSamples, layer, loss, inference.predictMask(network, tf.zeros([64, 64, 1]))];
  const report = (progress: Progress): number => progress.done;
  // @ts-expect-error: filters is a number
  layers.pyConv2d({ filters: 'eight' });
  // @ts-expect-error: version is text, not any
  const wrong: number = version;
  return \`\${report}\${wrong}\`;
}
`;
  writeFileSync(join(folder, 'module.mts'), source);
  writeFileSync(join(folder, 'common.cts'), source);
  const common = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
  };
  const settings = [
    { name: 'nodenext', options: { module: 'nodenext' }, files: ['module.mts', 'common.cts'] },
    { name: 'bundler', options: { module: 'esnext', moduleResolution: 'bundler' }, files: ['module.mts'] },
  ];
  for (const { name, options, files } of settings) {
    const config = join(folder, `tsconfig.${name}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions: { ...common, ...options }, files }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '--project', config], { encoding: 'utf8' });
    expect({ name, status, stdout }).toEqual({ name, status: 0, stdout: '' });
  }
});
