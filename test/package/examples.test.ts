/** The examples that run in Node, with the packed package; those in browsers, Deno and Bun are run by `npm run test:runtimes`. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decode } from 'fast-png';
import { expect, inject, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const examples = join(root, 'examples');
const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** A copy of an example beside the installed packages. */
function copy(example: string): string {
  const folder = join(inject('project'), 'examples', example);
  cpSync(join(examples, example), folder, { recursive: true });
  return folder;
}

/** Runs Node in a folder; its standard output. */
function node(folder: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect(status, stdout + stderr).toBe(0);
  return stdout;
}

test('node: learns, and writes the mask of an image', () => {
  const folder = copy('node');
  const [, dice] = /^Dice (\S+) on 4 images that it has not seen/m.exec(node(folder, ['segment.js'])) ?? [];
  expect(Number(dice)).toBeGreaterThan(0.9);
  const { width, height, channels, data } = decode(readFileSync(join(folder, 'mask.png')));
  expect({ width, height, channels }).toEqual({ width: 64, height: 64, channels: 1 });
  expect(new Set(data)).toEqual(new Set([0, 255]));
});

test('package: the tests of the layer that wraps ours pass', () => {
  expect(node(copy('package'), ['--test', '--test-reporter=tap'])).toMatch(/^# pass 5$/m);
});

test('vite: is correct TypeScript', () => {
  node(copy('vite'), [tsc, '--project', '.']);
});

test('deno: is correct TypeScript', () => {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'preserve'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  node(copy('deno'), [tsc, ...options, ...types, 'segment.ts']);
});

test('every example asks for this version and says how it is run', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const names = readdirSync(examples, { withFileTypes: true }).flatMap((entry) =>
    // The trained model is no project.
    entry.isDirectory() && entry.name !== 'model' ? [entry.name] : [],
  );
  expect(names).toHaveLength(5);
  for (const name of names) {
    const [settings = ''] = ['package.json', 'deno.json'].filter((file) => existsSync(join(examples, name, file)));
    const asked = readFileSync(join(examples, name, settings), 'utf8').match(/"(npm:)?pyconvunet(@|": ")\^[\d.]+/g);
    expect(asked, name).not.toBe(null);
    for (const text of asked ?? []) expect(text.split('^')[1], name).toBe(version);
    expect(readFileSync(join(examples, name, 'README.md'), 'utf8'), name).toContain('```sh');
    expect(readFileSync(join(examples, 'README.md'), 'utf8'), name).toContain(`[${name}](${name})`);
  }
});
