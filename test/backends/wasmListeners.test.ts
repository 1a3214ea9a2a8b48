/** What the start of backend wasm leaves of Emscripten's handlers of uncaught errors: nothing. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutAddedListeners } from '../../src/kernels/wasm/processListeners.js';

const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-listeners-'));
const bundle = join(folder, 'bundle.cjs');

beforeAll(() => {
  buildSync({
    stdin: {
      contents: `import '../../src/wasm.ts'; export { useBackend } from '../../src/runtime/backends.ts';`,
      resolveDir: import.meta.dirname,
    },
    absWorkingDir: resolve(import.meta.dirname, '../..'),
    bundle: true,
    // In the package it is the built wasm.js that has side effects.
    ignoreAnnotations: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    loader: { '.wasm': 'binary' },
    outfile: bundle,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runApp(afterStart: string) {
  const app = join(folder, 'app.cjs');
  const start = `require('./bundle.cjs').useBackend('wasm', { log: () => {} }).then(() => {\n${afterStart}\n});`;
  writeFileSync(app, start);
  return spawnSync(process.execPath, [app], { encoding: 'utf8' });
}

describe("a Node application's own error after useBackend('wasm')", () => {
  test('thrown later, ends it as without the backend', () => {
    const { status, stderr } = runApp(`setTimeout(() => { throw new Error('mine'); });`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\S+app\.cjs:2\n.*\n\s*\^\n\nError: mine\n\s+at .*app\.cjs:2:/);
  });

  test('of a promise, ends it as without the backend', () => {
    const { status, stderr } = runApp(`Promise.reject(new Error('mine'));`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\S+app\.cjs:2\n.*\n\s*\^\n\nError: mine\n\s+at .*app\.cjs:2:/);
  });
});

test('handlers of the application stay, whenever they were added', async () => {
  const early = () => {};
  const meanwhile = () => {};
  const rethrowing = (reason: unknown) => {
    throw reason;
  };
  process.on('unhandledRejection', rethrowing);
  process.on('uncaughtException', early);
  const before = process.listeners('unhandledRejection');
  const result = await withoutAddedListeners(async () => {
    process.on('uncaughtException', meanwhile);
    process.on('unhandledRejection', (reason) => {
      throw reason;
    });
    return 7;
  });
  expect(result).toBe(7);
  expect(process.listeners('unhandledRejection')).toEqual(before);
  expect(process.listeners('uncaughtException')).toEqual(expect.arrayContaining([early, meanwhile]));
  process.removeListener('unhandledRejection', rethrowing);
  process.removeListener('uncaughtException', early);
  process.removeListener('uncaughtException', meanwhile);
});
